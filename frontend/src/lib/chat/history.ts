// Fetches the pages of a conversation into its timeline. Every fetch belongs to a generation of its timeline:
// an answer that comes after the timeline was dropped or started anew is thrown away.
import type { StoreApi } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import type { ConversationId, MessagePage, PageOf, Position } from '@/lib/http/types';
import { isMessage, itemOf } from '@/lib/timeline/event';
import type { ChatState } from '@/lib/store/chat-state';
import {
  firstOf,
  fromPage,
  lastOf,
  LOADING,
  reaches,
  TIMELINE_MAX_MESSAGES,
  withNewer,
  withOlder,
  withRepeated,
} from '@/lib/store/timeline';
import type { Timeline } from '@/lib/store/timeline';

import type { Changes } from './changes';
import { hasFirstUnread } from './first-unread';
import type { Unread } from './first-unread';
import { changesMessages } from './message-rights';

const PAGE = 50;
const CATCH_UP_PAGE = 100;
/** Longer than that nobody waits for the server, where there is no connection and something was kept. */
const PATIENCE_MS = 1_500;
/** More unread than this opens at the first of them, not at the newest page. */
const UNREAD_ON_NEWEST_PAGE = 30;
/** Timelines kept for going back quickly, the open one included. */
const KEPT = 12;
/** An answer that cannot prove to be complete is asked for again. */
const INCOMPLETE_RETRY_MS = 3_000;

export class History {
  readonly #store: StoreApi<ChatState>;
  readonly #api: Api;
  readonly #changes: Pick<Changes, 'recent' | 'asides'>;
  /** What this browser keeps of a conversation. */
  readonly #stored: (id: ConversationId) => Promise<Timeline | null>;
  /** Least recently opened first. */
  #kept: ConversationId[] = [];
  #open: ConversationId | null = null;
  /** The message that the open one was opened at. */
  #at: Position | null = null;
  #generations = new Map<ConversationId, symbol>();
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    store: StoreApi<ChatState>,
    api: Api,
    changes: Pick<Changes, 'recent' | 'asides'>,
    kept: (id: ConversationId) => Promise<Timeline | null>,
  ) {
    this.#store = store;
    this.#stored = kept;
    this.#api = api;
    this.#changes = changes;
  }

  /**
   * The conversation in view, at this message of it if one is meant. Loads what is not in memory. `stay`: the
   * reader comes back to a place in it.
   */
  open(id: ConversationId, position: Position | null = null, stay = false): void {
    const samePlace = this.#at === position;
    this.#open = id;
    this.#at = position;
    this.#kept = [...this.#kept.filter((kept) => kept !== id), id];
    while (this.#kept.length > KEPT) this.#forget(this.#kept.shift());
    const timeline = this.#timeline(id);
    if (timeline?.status === 'loading' && samePlace) return;
    const shown =
      timeline?.status === 'ready' &&
      (position === null
        ? hasFirstUnread(timeline.messages, timeline.hasBefore, this.#unreadOf(id))
        : reaches(timeline, position));
    if (!shown) void this.#startAtPlace(id);
    else if (!stay && position === null && timeline.hasAfter && this.#unreadOf(id).count === 0)
      void this.present(id);
  }

  close(id: ConversationId): void {
    if (this.#open === id) this.#open = null;
  }

  /** The newest page, whatever the window shows now. */
  present(id: ConversationId): Promise<void> {
    return this.#start(id, {});
  }

  async older(id: ConversationId): Promise<void> {
    const timeline = this.#timeline(id);
    const first = timeline && firstOf(timeline);
    if (!first || !timeline.hasBefore || timeline.older === 'loading') return;
    this.#change(id, (now) => ({ ...now, older: 'loading' }));
    const page = await this.#fetch(id, { before: first.position, limit: PAGE });
    if (page === 'outdated') return;
    this.#change(id, (now) => (page ? withOlder(now, page) : { ...now, older: 'failed' }));
  }

  /** `following`: the reader was at the newest message, and need not read all that was missed. */
  async newer(id: ConversationId, following = false): Promise<void> {
    const timeline = this.#timeline(id);
    const last = timeline && lastOf(timeline);
    if (!timeline?.hasAfter || timeline.newer === 'loading') return;
    if (!last) return this.present(id);
    this.#change(id, (now) => ({ ...now, newer: 'loading' }));
    const page = await this.#fetch(id, { after: last.position, limit: CATCH_UP_PAGE });
    if (page === 'outdated') return;
    if (!page) this.#change(id, (now) => ({ ...now, newer: 'failed' }));
    else if (following && page.has_after) await this.present(id);
    // Nothing there, although something newer was seen: do not ask in a circle.
    else if (page.messages.length === 0)
      this.#change(id, (now) => ({ ...now, hasAfter: page.has_after, newer: 'idle' }));
    else this.#change(id, (now) => withNewer(now, page, this.#lastPosition(id)));
  }

  /** All may have missed something that will not be sent: the open one ends where it is, the others go. */
  invalidate(): void {
    for (const id of this.#kept) {
      if (id === this.#open)
        this.#change(id, (now) => (now.status === 'ready' ? { ...now, hasAfter: true } : now));
      else this.#forget(id);
    }
    this.#kept = this.#kept.filter((id) => id === this.#open);
    const open = this.#open;
    if (open && this.#timeline(open)?.status === 'failed') void this.#startAtPlace(open);
  }

  /** The connection is back: what failed is worth another try. */
  retryFailed(): void {
    const id = this.#open;
    const timeline = id === null ? undefined : this.#timeline(id);
    if (id === null || !timeline) return;
    if (timeline.status === 'failed') void this.#startAtPlace(id);
    if (timeline.older === 'failed') this.#change(id, (now) => ({ ...now, older: 'idle' }));
    if (timeline.newer === 'failed') this.#change(id, (now) => ({ ...now, newer: 'idle' }));
  }

  dispose(): void {
    clearTimeout(this.#retry);
    this.#generations.clear();
    this.#open = null;
  }

  #start(id: ConversationId, page: PageOf): Promise<void> {
    return this.#startWith(id, () => this.#fetch(id, { limit: PAGE, ...page }));
  }

  /** At the message that is meant, or at the first unread one, however many follow it. */
  #startAtPlace(id: ConversationId): Promise<void> {
    const at = id === this.#open ? this.#at : null;
    if (at !== null) return this.#start(id, { around: at });
    const unread = this.#unreadOf(id);
    // What is in memory ends before its place: nobody is to read on from there.
    this.#put(id, LOADING);
    return this.#startWith(id, async () => {
      if (unread.count <= UNREAD_ON_NEWEST_PAGE) {
        const newest = await this.#fetch(id, { limit: PAGE });
        if (!newest || newest === 'outdated') return newest;
        if (hasFirstUnread(newest.messages, newest.has_before, unread)) return newest;
      }
      return this.#firstUnread(id, unread);
    });
  }

  /**
   * The page around what was read last; with what follows it, until somebody else has written something of
   * that.
   */
  async #firstUnread(id: ConversationId, unread: Unread): Promise<MessagePage | null | 'outdated'> {
    // Never read is position 0, before all messages: the page begins with the first one.
    const page = await this.#fetch(id, { around: unread.after, limit: PAGE });
    if (!page || page === 'outdated') return page;
    const { messages } = page;
    while (page.has_after && messages.length < TIMELINE_MAX_MESSAGES && !messages.some(unread.is)) {
      const more = await this.#fetch(id, { after: messages.at(-1)?.position ?? 0, limit: CATCH_UP_PAGE });
      if (more === 'outdated') return more;
      if (!more || more.messages.length === 0) break;
      messages.push(...more.messages);
      page.has_after = more.has_after;
      page.complete &&= more.complete;
    }
    return page;
  }

  async #startWith(id: ConversationId, fetch: () => Promise<MessagePage | null | 'outdated'>): Promise<void> {
    const known = this.#timeline(id);
    this.#generations.set(id, Symbol(id));
    if (!known || known.status === 'failed') this.#put(id, LOADING);
    const late = setTimeout(() => void this.#showStored(id), PATIENCE_MS);
    const answer = await fetch();
    clearTimeout(late);
    // Gone meanwhile: this person has left the room.
    if (answer === 'outdated' || !this.#timeline(id)) return;
    if (answer) this.#put(id, fromPage(answer, this.#lastPosition(id)));
    else if (known?.status === 'ready') this.#change(id, (now) => ({ ...now, newer: 'failed' }));
    else if (!(await this.#showStored(id)))
      this.#change(id, (now) => (now.status === 'loading' ? { ...LOADING, status: 'failed' } : now));
  }

  /** Without a connection: what was kept, until the server answers. False when the place is not in it. */
  async #showStored(id: ConversationId): Promise<boolean> {
    const generation = this.#generations.get(id);
    const stored = await this.#stored(id);
    const { connection, timelines } = this.#store.getState();
    const waits = this.#generations.get(id) === generation && timelines[id]?.status === 'loading';
    if (!stored || !waits || connection.phase === 'live') return false;
    if (id === this.#open && this.#at !== null && !reaches(stored, this.#at)) return false;
    this.#put(id, stored);
    return true;
  }

  /** Repeats one request while its answer cannot be proved complete and the conversation is open. */
  #askAgain(id: ConversationId, page: PageOf): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.#open === id) void this.#repeat(id, page);
    }, INCOMPLETE_RETRY_MS);
  }

  async #repeat(id: ConversationId, page: PageOf): Promise<void> {
    const answer = await this.#fetch(id, page);
    if (answer === null) this.#askAgain(id, page);
    else if (answer !== 'outdated')
      this.#change(id, (now) => withRepeated(now, answer, this.#lastPosition(id)));
  }

  /** Null when it failed. */
  async #fetch(id: ConversationId, page: PageOf): Promise<MessagePage | null | 'outdated'> {
    // One that began with a message of this page has a timeline, and no generation yet.
    const generation = this.#generations.get(id) ?? Symbol(id);
    this.#generations.set(id, generation);
    const { connection } = this.#changes.recent;
    const answer = await this.#page(id, page).catch(() => null);
    if (this.#generations.get(id) !== generation) return 'outdated';
    // Made before this page was away: what came or changed since then is asked for behind it.
    if (answer && connection !== this.#changes.recent.connection) {
      if (page.before === undefined) answer.has_after = true;
      const first = answer.messages[0]?.position;
      if (first !== undefined) queueMicrotask(() => this.#changes.asides.missed(id, first));
    }
    if (answer && !answer.complete) this.#askAgain(id, page);
    return answer;
  }

  /** In a room, with what happened between the messages. */
  async #page(id: ConversationId, page: PageOf): Promise<MessagePage> {
    const { conversations, limits } = this.#store.getState();
    // Between two people there is more than messages only where these can be pinned and deleted.
    const all = conversations[id]?.room != null || changesMessages(limits);
    const { messages, ...rest } = all ? await this.#events(id, page) : await this.#api.messages(id, page);
    return { ...rest, messages: messages.map((message) => this.#changes.recent.on(message)) };
  }

  async #events(id: ConversationId, page: PageOf): Promise<MessagePage> {
    const { events, ...rest } = await this.#api.events(id, page);
    return { ...rest, messages: events.map(itemOf) };
  }

  #forget(id: ConversationId | undefined): void {
    if (id === undefined) return;
    this.#generations.delete(id);
    this.#store.setState((state) => {
      const { [id]: _, ...timelines } = state.timelines;
      const { [id]: __, ...aside } = state.aside;
      return { timelines, aside };
    });
  }

  #timeline(id: ConversationId): Timeline | undefined {
    return this.#store.getState().timelines[id];
  }

  #unreadOf(id: ConversationId): Unread {
    const { conversations, me } = this.#store.getState();
    const after = conversations[id]?.last_read ?? 0;
    return {
      count: conversations[id]?.unread ?? 0,
      after,
      is: (message) => isMessage(message) && message.sender !== me.id && message.position > after,
    };
  }

  #lastPosition = (id: ConversationId) => this.#store.getState().conversations[id]?.last_position ?? 0;

  #put(id: ConversationId, timeline: Timeline): void {
    this.#store.setState((state) => ({ timelines: { ...state.timelines, [id]: timeline } }));
  }

  #change(id: ConversationId, step: (timeline: Timeline) => Timeline): void {
    const timeline = this.#timeline(id);
    if (timeline) this.#put(id, step(timeline));
  }
}
