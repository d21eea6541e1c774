// Fetches the conversation list page by page, and single conversations that a live message mentioned first.
import type { StoreApi } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import { ApiError } from '@/lib/http/api-error';
import type { Conversation, ConversationId, Position, UserId } from '@/lib/http/types';
import type { ChatState, ListState } from '@/lib/store/chat-state';
import { applyEvents, withConversations, withoutRooms } from '@/lib/store/events';
import { withPeople } from '@/lib/store/people';

import type { RecentChanges } from './recent-changes';

/** So many conversations come with one page of the list. */
export const LISTED = 100;
const SOON_MS = 3_000;
const RECOUNT_MS = 1_000;
/** What was told longer ago than this may be out of date: people change their names, and no frame says so. */
const FRESH_MS = 60_000;
/** Of a public room one may know that it is there. */
const NOT_IN_IT = ['unknown_conversation', 'not_member'];

export class ConversationLoader {
  readonly #store: StoreApi<ChatState>;
  readonly #api: Api;
  readonly #recent: RecentChanges;
  readonly #asked = new Set<string>();
  /** When each conversation was last asked for, to have its newest names. */
  readonly #refreshedAt = new Map<ConversationId, number>();
  #listedAt = 0;
  #loading = false;
  #again = false;
  readonly #stale = new Set<ConversationId>();
  #soon: ReturnType<typeof setTimeout> | undefined;
  readonly #recounts = new Map<ConversationId, ReturnType<typeof setTimeout>>();

  constructor(store: StoreApi<ChatState>, api: Api, recent: RecentChanges) {
    this.#store = store;
    this.#api = api;
    this.#recent = recent;
  }

  /**
   * The first page; asked for again when this is called while it is on its way, because that answer may be
   * too old.
   */
  async load(): Promise<void> {
    this.#again = this.#loading;
    if (this.#loading) return;
    this.#loading = true;
    const askedAt = Date.now();
    this.#listedAt = askedAt;
    try {
      const page = await this.#api.conversations({ limit: LISTED });
      const all = page.complete && page.next === null;
      this.#store.setState((state) => {
        const told = withConversations(state, this.#told(page.conversations), askedAt);
        return {
          ...(all ? withoutRooms(told, page.conversations, askedAt) : told),
          list: { status: 'ready', next: page.next, loadingMore: false },
        };
      });
      if (!page.complete) this.loadSoon();
    } catch {
      if (this.#list().status !== 'ready') this.#change({ status: 'failed' });
    }
    this.#loading = false;
    if (this.#again) await this.load();
  }

  /**
   * Somebody looks at the page again: the first page anew, unless it is fresh. True when it was asked for.
   */
  freshen(): boolean {
    const old = Date.now() - this.#listedAt >= FRESH_MS;
    if (old) void this.load();
    return old;
  }

  /** Somebody looks at this one, or something came in it: names in it anew, unless they are fresh. */
  refresh(id: ConversationId): void {
    const now = Date.now();
    if (!this.#store.getState().conversations[id]) return;
    if (now - Math.max(this.#listedAt, this.#refreshedAt.get(id) ?? 0) < FRESH_MS) return;
    for (const [known, at] of this.#refreshedAt) if (now - at >= FRESH_MS) this.#refreshedAt.delete(known);
    this.#refreshedAt.set(id, now);
    void this.one(id).catch(() => undefined);
  }

  /** What is known of these may be out of date: one after the other, so that nothing else is held up. */
  recheck(ids: Iterable<ConversationId>): void {
    const idle = this.#stale.size === 0;
    for (const id of ids) if (this.#store.getState().conversations[id]) this.#stale.add(id);
    if (idle) void this.#recheckAll();
  }

  async #recheckAll(): Promise<void> {
    for (const id of this.#stale) {
      await this.one(id).catch(() => undefined);
      this.#stale.delete(id);
    }
  }

  async more(): Promise<void> {
    const { next, loadingMore } = this.#list();
    if (next === null || loadingMore) return;
    this.#change({ loadingMore: true });
    const askedAt = Date.now();
    try {
      const page = await this.#api.conversations({ limit: LISTED, before: next });
      this.#store.setState((state) => ({
        ...withConversations(state, this.#told(page.conversations), askedAt),
        list: { ...state.list, next: page.next },
      }));
    } catch {
      // Scrolling on asks again.
    }
    this.#change({ loadingMore: false });
  }

  /** Something could not be told just now: look again, once, however often this is called meanwhile. */
  loadSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.load();
    }, SOON_MS);
  }

  /**
   * Read elsewhere, up to the middle of it: how much is left, the server counts. Once for a moment's marks.
   */
  recount(id: ConversationId, position: Position): void {
    const entry = this.#store.getState().conversations[id];
    if (!entry || entry.unread === 0 || position >= entry.counted_up_to || this.#recounts.has(id)) return;
    const ask = () => {
      this.#recounts.delete(id);
      void this.one(id).catch(() => undefined);
    };
    this.#recounts.set(id, setTimeout(ask, RECOUNT_MS));
  }

  dispose(): void {
    this.#stale.clear();
    clearTimeout(this.#soon);
    for (const timer of this.#recounts.values()) clearTimeout(timer);
  }

  retry(): void {
    this.#change({ status: 'loading' });
    void this.load();
  }

  /** One that is not in memory. Rejects with the reason when it cannot be had. */
  async one(id: ConversationId): Promise<void> {
    if (this.#asked.has(id)) return;
    this.#asked.add(id);
    const askedAt = Date.now();
    try {
      const conversation = await this.#api.conversation(id);
      this.#store.setState((state) => withConversations(state, this.#told([conversation]), askedAt));
    } catch (error) {
      if (error instanceof ApiError && NOT_IN_IT.includes(error.code)) this.#gone(id, askedAt);
      throw error;
    } finally {
      this.#asked.delete(id);
    }
  }

  async person(id: UserId): Promise<void> {
    if (this.#store.getState().people[id]) return;
    const person = await this.#api.person(id);
    this.#store.setState((state) => ({ people: withPeople(state.people, [person]) }));
  }

  /** Whether something was written in this direct conversation: the list may not reach back to it. */
  async begun(id: ConversationId): Promise<boolean> {
    const { conversations, list } = this.#store.getState();
    if (conversations[id]) return true;
    if (list.status === 'ready' && list.next === null) return false;
    try {
      await this.one(id);
      return this.#store.getState().conversations[id] !== undefined;
    } catch (error) {
      if (error instanceof ApiError && error.code === 'unknown_conversation') return false;
      throw error;
    }
  }

  /** What changed while the answer was on its way. */
  #told(conversations: readonly Conversation[]): Conversation[] {
    return conversations.map((one) => ({ ...one, last_message: this.#recent.on(one.last_message) }));
  }

  /** A room that this person is no longer in, which nobody has told them. */
  #gone(id: ConversationId, atMs: number): void {
    const entry = this.#store.getState().conversations[id];
    if (!entry?.room || entry.room_at_ms > atMs) return;
    const room = { ...entry.room, role: null };
    this.#store.setState((state) => applyEvents(state, [{ kind: 'room', room, atMs }]));
  }

  #list(): ListState {
    return this.#store.getState().list;
  }

  #change(change: Partial<ListState>): void {
    this.#store.setState((state) => ({ list: { ...state.list, ...change } }));
  }
}
