// Fetches what is shown of a conversation beside its window: messages that are quoted and not in it, those
// that are pinned, and those that name one. And what changed there while this page was away, when the server
// does not tell it one by one: asked for until all of it is known, again after each reconnect.
import type { StoreApi } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import { ApiError } from '@/lib/http/api-error';
import type { ConversationId, MentionPage, Message, Position } from '@/lib/http/types';
import { messageAt, withAside } from '@/lib/store/aside';
import type { ChatState } from '@/lib/store/chat-state';
import { applyEvents } from '@/lib/store/events';
import { isMessage } from '@/lib/timeline/event';

import { changesMessages } from './message-rights';
import type { RecentChanges } from './recent-changes';

/** What is quoted in a page is asked for together. */
const TOGETHER_MS = 30;
/** So many positions the server takes at once. */
const AT_MAX = 50;
const CHANGES_PAGE = 100;
const MENTIONS_PAGE = 30;
const AGAIN_MS = 3_000;
/** There is no such address. */
const UNKNOWN = ['not_found', 'method_not_allowed'];

export class Asides {
  readonly #store: StoreApi<ChatState>;
  readonly #api: Api;
  readonly #recent: RecentChanges;
  /** What was asked for, so that what is not there is not asked for again. */
  readonly #asked = new Map<ConversationId, Set<Position>>();
  readonly #wanted = new Map<ConversationId, Set<Position>>();
  /** After which position changes are still to be asked for. */
  readonly #missed = new Map<ConversationId, Position>();
  readonly #catchingUp = new Set<ConversationId>();
  /** Of these more was missed since they were last asked for: an answer on its way may be from before. */
  readonly #missedSince = new Set<ConversationId>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #disposed = false;

  constructor(store: StoreApi<ChatState>, api: Api, recent: RecentChanges) {
    this.#store = store;
    this.#api = api;
    this.#recent = recent;
  }

  /** Messages that somebody refers to. */
  need(id: ConversationId, positions: Iterable<Position>): void {
    const { timelines, aside } = this.#store.getState();
    // With the window on a conversation goes what stands beside it.
    const asked = (aside[id] && this.#asked.get(id)) ?? new Set();
    for (const position of positions) {
      const here = messageAt(timelines[id]?.messages ?? [], position) ?? messageAt(aside[id] ?? [], position);
      if (here || asked.has(position)) continue;
      asked.add(position);
      this.#wanted.set(id, (this.#wanted.get(id) ?? new Set()).add(position));
    }
    this.#asked.set(id, asked);
    if (this.#wanted.has(id) && !aside[id])
      this.#store.setState((state) => ({ aside: { ...state.aside, [id]: [] } }));
    if (this.#wanted.size > 0) this.#timer ??= setTimeout(() => this.#fetch(), TOGETHER_MS);
  }

  /** Which are pinned, the newest pin first; not `complete`: the newest pins may be missing just now. */
  async pins(id: ConversationId): Promise<{ positions: Position[]; complete: boolean }> {
    const { connection } = this.#recent;
    const { messages, complete } = await this.#api.pins(id);
    this.#told(id, messages, connection);
    return { positions: messages.map(({ position }) => position), complete };
  }

  /** What names this person, in all conversations, newest first. */
  async mentions(page: { before?: string }): Promise<MentionPage> {
    const { connection } = this.#recent;
    const answer = await this.#api.mentions({ ...page, limit: MENTIONS_PAGE });
    for (const id of new Set(answer.messages.map(({ conversation }) => conversation)))
      this.#told(
        id,
        answer.messages.filter(({ conversation }) => conversation === id),
        connection,
      );
    return answer;
  }

  /** What was shown of these elsewhere is in view no more; where one has a window it stays with that. */
  letGo(ids: Iterable<ConversationId>): void {
    const gone = new Set(ids);
    this.#store.setState(({ aside, timelines }) => ({
      aside: Object.fromEntries(Object.entries(aside).filter(([id]) => !gone.has(id) || timelines[id])),
    }));
  }

  /** Changes after this position were not told one by one. */
  missed(id: ConversationId, after: Position): void {
    if (!changesMessages(this.#store.getState().limits)) return;
    this.#missed.set(id, Math.min(after, this.#missed.get(id) ?? Infinity));
    this.#missedSince.add(id);
    void this.#catchUp(id);
  }

  /** All that is kept may have changed, and nobody tells of it. */
  invalidate(): void {
    this.#asked.clear();
    const { timelines, aside } = this.#store.getState();
    for (const id of new Set([...Object.keys(timelines), ...Object.keys(aside)])) this.recheck(id);
  }

  /** All that is kept of this one may have changed. */
  recheck(id: ConversationId): void {
    const { timelines, aside } = this.#store.getState();
    const first = [timelines[id]?.messages[0], aside[id]?.[0]].flatMap((one) => one?.position ?? []);
    // A change stands after what it changes.
    if (first.length > 0) this.missed(id, Math.min(...first));
  }

  /** The connection is back: what failed is worth another try. */
  retry(): void {
    this.#asked.clear();
    for (const id of this.#missed.keys()) void this.#catchUp(id);
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
  }

  #fetch(): void {
    this.#timer = undefined;
    const wanted = [...this.#wanted];
    this.#wanted.clear();
    for (const [id, positions] of wanted) {
      const all = [...positions];
      for (let from = 0; from < all.length; from += AT_MAX)
        void this.#ask(id, all.slice(from, from + AT_MAX));
    }
  }

  async #ask(id: ConversationId, positions: readonly Position[]): Promise<void> {
    try {
      const { connection } = this.#recent;
      const { messages } = await this.#api.messagesAt(id, positions);
      this.#told(id, messages, connection);
    } catch (error) {
      // Asked for again when it comes into view, or when the connection is back.
      if (error instanceof ApiError && error.temporary)
        for (const position of positions) this.#asked.get(id)?.delete(position);
    }
  }

  #told(id: ConversationId, messages: readonly Message[], connection: number): void {
    if (this.#disposed || messages.length === 0) return;
    // Out of the room meanwhile: what was said there is for those who are in it.
    if (this.#store.getState().conversations[id]?.room?.role === null) return;
    const now = messages.map((message) => this.#recent.on(message));
    this.#store.setState((state) => ({
      ...applyEvents(state, [{ kind: 'told', conversation: id, messages: now }]),
      aside: { ...state.aside, [id]: withAside(state.aside[id] ?? [], now) },
    }));
    // Made before this page was away.
    if (connection !== this.#recent.connection)
      this.missed(id, Math.min(...messages.map(({ position }) => position)));
  }

  async #catchUp(id: ConversationId): Promise<void> {
    if (this.#catchingUp.has(id)) return;
    this.#catchingUp.add(id);
    try {
      for (;;) {
        const after = this.#missed.get(id);
        if (after === undefined || this.#disposed) return;
        this.#missedSince.delete(id);
        const page = await this.#api.changes(id, { changed_after: after, limit: CHANGES_PAGE });
        const messages = page.messages.map((message) => this.#recent.on(message));
        this.#store.setState((state) => applyEvents(state, [{ kind: 'told', conversation: id, messages }]));
        // Told meanwhile that still more was missed: again, from wherever that begins.
        if (this.#missedSince.has(id)) continue;
        if (page.next !== null) this.#missed.set(id, page.next);
        else if (page.complete) this.#missed.delete(id);
        else {
          this.#later();
          return;
        }
      }
    } catch (error) {
      if (error instanceof ApiError && UNKNOWN.includes(error.code)) await this.#askAll(id);
      else this.#failed(id, error);
    } finally {
      this.#catchingUp.delete(id);
    }
  }

  /** From a server that does not tell what changed: all that is kept, as it is now. */
  async #askAll(id: ConversationId): Promise<void> {
    const { timelines, aside } = this.#store.getState();
    const kept = [...(timelines[id]?.messages ?? []), ...(aside[id] ?? [])].filter(isMessage);
    const positions = [...new Set(kept.map(({ position }) => position))];
    try {
      for (let from = 0; from < positions.length; from += AT_MAX) {
        const answer = await this.#api.messagesAt(id, positions.slice(from, from + AT_MAX));
        const messages = answer.messages.map((message) => this.#recent.on(message));
        this.#store.setState((state) => applyEvents(state, [{ kind: 'told', conversation: id, messages }]));
      }
      this.#missed.delete(id);
    } catch (error) {
      this.#failed(id, error);
    }
  }

  #failed(id: ConversationId, error: unknown): void {
    if (!(error instanceof ApiError) || error.temporary) this.#later();
    else this.#missed.delete(id);
  }

  #later(): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.retry(), AGAIN_MS);
  }
}
