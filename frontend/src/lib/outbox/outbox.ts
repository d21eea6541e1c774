// What the person has sent and the server has not accepted yet: messages, and what is done with messages.
// Guarantees: nothing typed is lost; each keeps its client_id through every try; one per conversation is
// under way at a time, so the order is kept; what was refused for good steps aside and does not block those
// behind it.
import type { ConversationId, UserId } from '@/lib/http/types';
import type { ClientFrame } from '@/lib/socket/frames';

import type { Destination } from './destination';
import { frameOf } from './item-frame';
import type { OutboxContent, OutboxItem, OutboxReason } from './outbox-item';
import type { OutboxStorage } from './outbox-storage';
import { randomId } from './random-id';

/** More unsent messages than this are not taken; the text stays in the composer. */
export const OUTBOX_MAX_ITEMS = 500;
/** Below the server's `max_in_flight`, so that it never stops reading from this page. */
const MAX_IN_FLIGHT = 32;
/** The server refuses after 4 s when the log is silent; without any answer the send is repeated. */
const ANSWER_TIMEOUT_MS = 15_000;
const WAIT_FIRST_MS = 1_000;
const WAIT_MAX_MS = 30_000;

export interface OutboxOptions {
  owner: UserId;
  /** The id of this page, see page-claim. */
  page: string;
  storage: OutboxStorage;
  /** False when there is no live connection. */
  send: (frame: ClientFrame) => boolean;
  onChange: () => void;
  now?: () => number;
}

/** What is only worth knowing while this page lives. */
interface Track {
  item: OutboxItem;
  /** May have reached the server: the next try must say so. */
  tried: boolean;
  refusals: number;
  /** Another page would find it, should this one be gone. */
  stored: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export interface Refusal extends OutboxReason {
  client_id: string;
  temporary: boolean;
  retry_after_ms?: number;
}

export class Outbox {
  readonly #tracks = new Map<string, Track>();
  readonly #options: Required<OutboxOptions>;
  #connected = false;

  /**
   * From the server: with it a new client_id proves to be new, and needs no look-up there. What waits keeps
   * its id.
   */
  idPrefix = '';

  constructor(options: OutboxOptions) {
    this.#options = { now: () => Date.now(), ...options };
  }

  /** Oldest first. */
  get items(): OutboxItem[] {
    return [...this.#tracks.values()].map((track) => track.item);
  }

  /** Something would be lost with this page: the browser keeps it nowhere else (yet). */
  get atRisk(): boolean {
    return [...this.#tracks.values()].some((track) => !track.stored);
  }

  /** What is unsent in all pages of this person in this browser. */
  async countAll(): Promise<number> {
    const stored = await this.#options.storage.load(this.#options.owner);
    return new Set([...this.#tracks.keys(), ...stored.map(({ client_id }) => client_id)]).size;
  }

  /** Takes over what earlier pages left behind. They may have sent it: every one counts as tried. */
  async adopt(openPages: Set<string>): Promise<void> {
    const mine = new Set(this.#tracks.keys());
    const stored = await this.#options.storage.load(this.#options.owner);
    const left = stored
      // `mine` too: one that was accepted while the storage was read must not come back.
      .filter(
        ({ client_id, page }) => !mine.has(client_id) && !this.#tracks.has(client_id) && !openPages.has(page),
      )
      .sort((a, b) => a.created_at - b.created_at || (a.client_id < b.client_id ? -1 : 1));
    if (left.length === 0) return;
    const here = [...this.#tracks];
    this.#tracks.clear();
    for (const item of left) {
      const { reason, ...rest } = item;
      const failed = item.status === 'failed';
      this.#add(
        {
          ...rest,
          page: this.#options.page,
          status: failed ? 'failed' : 'queued',
          ...(failed && reason ? { reason } : {}),
        },
        true,
      );
    }
    for (const [id, track] of here) this.#tracks.set(id, track);
    this.#changed();
  }

  /** False when the outbox is full. */
  add(destination: Destination, content: OutboxContent): boolean {
    if (this.#tracks.size >= OUTBOX_MAX_ITEMS) return false;
    this.#addNew(destination, content);
    this.#changed();
    return true;
  }

  /** A connection is live: what was under way on the old one is sent again. */
  connected(): void {
    this.#connected = true;
    for (const track of this.#tracks.values()) if (track.item.status !== 'failed') this.#requeue(track);
    this.#changed();
  }

  disconnected(): void {
    this.#connected = false;
    for (const track of this.#tracks.values()) if (track.item.status === 'sending') this.#requeue(track);
    this.#options.onChange();
  }

  /** The server has it. Returns the item, or undefined when it is not (or no longer) ours. */
  accepted(clientId: string): OutboxItem | undefined {
    const item = this.#remove(clientId);
    if (item) this.#changed();
    return item;
  }

  /** Returns the item that it is about, if that is (still) ours. */
  refused(refusal: Refusal): OutboxItem | undefined {
    const track = this.#tracks.get(refusal.client_id);
    if (!track || track.item.status === 'failed') return undefined;
    const reason = { code: refusal.code, message: refusal.message };
    if (refusal.temporary) {
      const waitMs = Math.min(WAIT_MAX_MS, WAIT_FIRST_MS * 2 ** Math.min(track.refusals, 10));
      track.refusals += 1;
      this.#set(track, 'waiting', reason);
      this.#after(track, Math.max(waitMs, refusal.retry_after_ms ?? 0), () => this.#again(track));
    } else {
      clearTimeout(track.timer);
      this.#set(track, 'failed', reason);
    }
    this.#changed();
    return track.item;
  }

  retry(clientId: string): void {
    const track = this.#tracks.get(clientId);
    if (!track || track.item.status === 'sending') return;
    // Under this id it would be refused again, whatever one does.
    if (track.item.reason?.code === 'client_id_reused') this.#anew(track);
    else this.#again(track);
  }

  discard(clientId: string): void {
    if (this.#remove(clientId)) this.#changed();
  }

  discardAll(): void {
    for (const id of [...this.#tracks.keys()]) this.#remove(id);
    this.#options.onChange();
  }

  /** Stops sending; what is stored stays for the next page. */
  dispose(): void {
    this.#connected = false;
    for (const track of this.#tracks.values()) clearTimeout(track.timer);
  }

  #changed(): void {
    this.#pump();
    this.#options.onChange();
  }

  /** Sends the first one of every conversation that has none under way and none waiting in front. */
  #pump(): void {
    if (!this.#connected) return;
    let inFlight = this.#count('sending');
    const busy = new Set<ConversationId>();
    for (const track of this.#tracks.values()) {
      const { status, conversation } = track.item;
      if (status === 'queued' && !busy.has(conversation) && inFlight < MAX_IN_FLIGHT && this.#send(track))
        inFlight += 1;
      if (status !== 'failed') busy.add(conversation);
    }
  }

  #send(track: Track): boolean {
    if (!this.#options.send(frameOf(track.item, track.tried))) return false;
    track.tried = true;
    this.#set(track, 'sending', track.item.reason);
    this.#after(track, ANSWER_TIMEOUT_MS, () => this.#again(track));
    return true;
  }

  #again(track: Track): void {
    this.#requeue(track);
    this.#changed();
  }

  /** As a new message, behind what waits. Stored before the old one is forgotten. */
  #anew({ item }: Track): void {
    const { body, reply_to, mentions, everyone, deed } = item;
    this.#addNew(item, {
      body,
      ...(reply_to ? { reply_to } : {}),
      ...(mentions ? { mentions } : {}),
      ...(everyone ? { everyone } : {}),
      ...(deed ? { deed } : {}),
    });
    this.#remove(item.client_id);
    this.#changed();
  }

  #addNew({ conversation, to }: Destination, content: OutboxContent): void {
    const { owner, page } = this.#options;
    const created_at = this.#nextTime();
    const client_id = `${this.idPrefix}${randomId()}`;
    this.#add({ client_id, owner, page, conversation, to, ...content, created_at, status: 'queued' }, false);
  }

  #requeue(track: Track): void {
    clearTimeout(track.timer);
    this.#set(track, 'queued', track.item.status === 'failed' ? undefined : track.item.reason);
  }

  /**
   * Later than all that wait: the next page orders by it, and a clock can stand still for two keys, or be set
   * back.
   */
  #nextTime(): number {
    const last = Math.max(0, ...[...this.#tracks.values()].map(({ item }) => item.created_at));
    return Math.max(this.#options.now(), last + 1);
  }

  #count(status: OutboxItem['status']): number {
    let count = 0;
    for (const track of this.#tracks.values()) if (track.item.status === status) count += 1;
    return count;
  }

  #add(item: OutboxItem, tried: boolean): void {
    const track: Track = { item, tried, refusals: 0, stored: false, timer: undefined };
    this.#tracks.set(item.client_id, track);
    this.#store(track);
  }

  #set(track: Track, status: OutboxItem['status'], reason: OutboxReason | undefined): void {
    const { reason: _, ...rest } = track.item;
    const before = track.item.status;
    track.item = { ...rest, status, ...(reason ? { reason } : {}) };
    // Stored pages only need to know failed or not: `sending` and the like mean nothing to the next page.
    if ((status === 'failed') !== (before === 'failed')) this.#store(track);
  }

  #store(track: Track): void {
    void this.#options.storage.put(track.item).then((stored) => (track.stored = stored));
  }

  #after(track: Track, ms: number, action: () => void): void {
    clearTimeout(track.timer);
    track.timer = setTimeout(action, ms);
  }

  #remove(clientId: string): OutboxItem | undefined {
    const track = this.#tracks.get(clientId);
    if (!track) return undefined;
    clearTimeout(track.timer);
    this.#tracks.delete(clientId);
    this.#options.storage.delete(clientId);
    return track.item;
  }
}
