// Of what one wants to be told: asked for with each connection, changed here, told live of other devices, and
// mended when a word of it was lost. Mutes end by themselves.
import type { StoreApi } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import type { ConversationId } from '@/lib/http/types';
import type { NotificationsFrame } from '@/lib/socket/frames';
import type { ChatState } from '@/lib/store/chat-state';
import type { General, OfConversation } from '@/lib/tell/settings';
import { afterChange, fromServer, nextEndMs, settingsOf, withoutEnded } from '@/lib/tell/state';
import type { TellState } from '@/lib/tell/state';

/** Timers of browsers take no more than 24 days. */
const WAIT_MAX_MS = 86_400_000;

type TellApi = Pick<Api, 'notifications' | 'changeNotifications' | 'setConversationNotifications'>;

export class TellSettings {
  readonly #store: StoreApi<ChatState>;
  readonly #api: TellApi;
  #loading = false;
  /** What was told while the answer was on its way: an answer from before it is too old. */
  #heard = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #disposed = false;

  constructor(store: StoreApi<ChatState>, api: TellApi) {
    this.#store = store;
    this.#api = api;
  }

  /** All of it. What cannot be had stays as it was known. */
  async load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    this.#heard = 0;
    const all = await this.#api.notifications().catch(() => null);
    this.#loading = false;
    if (!all) return;
    if (all.revision >= (this.#tell?.revision ?? 0)) this.#set(fromServer(all, Date.now()));
    if (all.revision < this.#heard) await this.load();
  }

  told({ type: _, ...change }: NotificationsFrame): void {
    if (this.#tell) this.#apply(change);
    this.#heard = Math.max(this.#heard, change.revision);
  }

  /** Rejects with an ApiError; then nothing has changed. */
  async change(change: Partial<General>): Promise<void> {
    const all = await this.#api.changeNotifications(change);
    if (all.revision >= (this.#tell?.revision ?? 0)) this.#set(fromServer(all, Date.now()));
  }

  /** The same, of a conversation. */
  async changeOf(conversation: ConversationId, change: Partial<OfConversation>): Promise<void> {
    const wanted = { ...settingsOf(this.#tell, conversation), ...change };
    const { revision, ...settings } = await this.#api.setConversationNotifications(conversation, wanted);
    if (this.#tell) this.#apply({ revision, conversation, settings });
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
  }

  get #tell(): TellState | null {
    return this.#store.getState().tell;
  }

  #apply(change: Omit<NotificationsFrame, 'type'>): void {
    if (!this.#tell) return;
    const now = afterChange(this.#tell, change);
    if (!now) void this.load();
    else if (now !== this.#tell) this.#set(now);
  }

  #set(tell: TellState): void {
    if (this.#disposed) return;
    this.#store.setState({ tell });
    clearTimeout(this.#timer);
    const endMs = nextEndMs(tell);
    if (endMs === Infinity) return;
    const inMs = Math.min(WAIT_MAX_MS, Math.max(0, endMs - Date.now()));
    this.#timer = setTimeout(() => this.#tell && this.#set(withoutEnded(this.#tell, Date.now())), inMs);
  }
}
