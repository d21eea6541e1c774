// Keeps in this browser what one may want to read without a connection: the list, and the newest messages of
// the conversations that were looked at.
//
// What is kept never says more than the server would: a conversation is kept while the page follows it, and
// what changes in one that it does not hold in memory is let go. What changed while no page was open is asked
// for at the next start, before anything else is kept. Deletions, and leaving a room, are written at once.
import type { StoreApi } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import { ApiError } from '@/lib/http/api-error';
import type { ConversationId, Me, Message, Person, UserId } from '@/lib/http/types';
import type { ChatState } from '@/lib/store/chat-state';
import { isListed } from '@/lib/store/conversation-entry';
import type { ConversationEntry } from '@/lib/store/conversation-entry';
import type { ChatEvent } from '@/lib/store/events';
import { withPeople } from '@/lib/store/people';
import type { People } from '@/lib/store/people';
import { fromPage, LOADING, withTold } from '@/lib/store/timeline';
import type { Timeline } from '@/lib/store/timeline';
import { namedIn } from '@/lib/timeline/event';

import type { KeptList, KeptStorage, KeptWindow } from './kept-storage';

const WRITE_AFTER_MS = 2_000;
const LISTED_MAX = 100;
const MESSAGES_MAX = 100;
/** Not all pages at the very moment in which a server is back. */
const RECHECK_AFTER_MS = 5_000;
const CHANGES_PAGE = 100;
/** Where more has changed than this a conversation is let go. */
const CHANGES_PAGES_MAX = 5;

export type Storage = Pick<
  KeptStorage,
  'window' | 'windows' | 'putList' | 'putWindow' | 'deleteWindow' | 'clear'
>;

const isWhole = (timeline: Timeline | undefined): timeline is Timeline =>
  timeline?.status === 'ready' && !timeline.hasAfter && timeline.complete;

export class Keeper {
  readonly #store: StoreApi<ChatState>;
  readonly #api: Pick<Api, 'changes'>;
  readonly #storage: Storage;
  /** As they were written last. */
  #written: Pick<ChatState, 'conversations' | 'people' | 'timelines' | 'me' | 'limits'> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #recheck: ReturnType<typeof setTimeout> | undefined;
  readonly #stop: () => void;
  #disposed = false;

  constructor(store: StoreApi<ChatState>, api: Pick<Api, 'changes'>, storage: Storage) {
    this.#store = store;
    this.#api = api;
    this.#storage = storage;
    this.#stop = store.subscribe((now, before) => {
      // What was said in a room is for those who are in it.
      if (now.conversations !== before.conversations && hasLeft(now, before)) this.write();
      else this.#timer ??= setTimeout(() => this.write(), WRITE_AFTER_MS);
    });
  }

  /** After these were applied. */
  applied(events: readonly ChatEvent[]): void {
    const { timelines } = this.#store.getState();
    let now = false;
    for (const event of events) {
      if (event.kind !== 'change' && event.kind !== 'told' && event.kind !== 'gap') continue;
      now ||= event.kind === 'change' && event.change.kind === 'deleted';
      if (event.kind === 'gap' || !isWhole(timelines[event.conversation])) this.#letGo(event.conversation);
    }
    if (now) this.write();
  }

  /** What changed while this page was away is not told one by one: it is asked for. */
  outdated(): void {
    clearTimeout(this.#recheck);
    const afterMs = RECHECK_AFTER_MS * (1 + Math.random());
    this.#recheck = setTimeout(() => void this.#recheckAll(), afterMs);
  }

  /** The window on this conversation as it was kept; null where none was. */
  async window(id: ConversationId): Promise<Timeline | null> {
    const { me, conversations } = this.#store.getState();
    const kept = await this.#storage.window(me.id, id);
    if (!kept || kept.messages.length === 0) return null;
    this.#store.setState(({ people }) => ({ people: { ...withPeople({}, kept.people), ...people } }));
    const page = {
      messages: [...kept.messages],
      has_before: kept.hasBefore,
      has_after: false,
      complete: true,
    };
    return fromPage(page, conversations[id]?.last_position ?? 0);
  }

  /** What is not written yet. */
  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#disposed) return;
    const { me, conversations, people, timelines, limits, list } = this.#store.getState();
    const before = this.#written;
    const same = before?.conversations === conversations && before.people === people && before.me === me;
    if (list.status === 'ready' && !(same && before.limits === limits)) this.#storage.putList(this.#list());
    for (const [id, { room }] of Object.entries(conversations))
      if (room?.role === null && before?.conversations[id]?.room?.role !== null) this.#letGo(id);
    for (const [id, timeline] of Object.entries(timelines)) {
      if (before?.timelines[id] === timeline || !isWhole(timeline)) continue;
      this.#storage.putWindow(windowOf(me.id, id, timeline, people));
    }
    this.#written = { conversations, people, timelines, me, limits };
  }

  dispose(): void {
    this.write();
    this.#disposed = true;
    clearTimeout(this.#recheck);
    this.#stop();
  }

  /** Nothing of this person stays here. */
  async forget(): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#timer);
    await this.#storage.clear();
  }

  #list(): KeptList {
    const { me, order, conversations, people, limits } = this.#store.getState();
    const listed = order
      .flatMap((id) => conversations[id] ?? [])
      .filter(isListed)
      .slice(0, LISTED_MAX);
    return {
      owner: me.id,
      me: own(me),
      entries: listed,
      people: known([...listed.flatMap(peopleOf), me.id], people),
      limits,
    };
  }

  #letGo(id: ConversationId): void {
    this.#storage.deleteWindow(this.#store.getState().me.id, id);
    if (!this.#written) return;
    // When it is whole again it is written again.
    const { [id]: _, ...timelines } = this.#written.timelines;
    this.#written = { ...this.#written, timelines };
  }

  /** One after the other, so that nothing else is held up. */
  async #recheckAll(): Promise<void> {
    const { me } = this.#store.getState();
    for (const id of await this.#storage.windows(me.id)) {
      if (this.#disposed || this.#store.getState().connection.phase !== 'live') return;
      const kept = await this.#storage.window(me.id, id);
      if (kept) await this.#recheckOne(kept);
    }
  }

  async #recheckOne({ owner, id, ...kept }: KeptWindow): Promise<void> {
    // A change stands after what it changes.
    let after: number | null = kept.messages[0]?.position ?? 0;
    let timeline: Timeline = { ...LOADING, status: 'ready', messages: [...kept.messages] };
    try {
      for (let pages = 0; after !== null; pages += 1) {
        const page = await this.#api.changes(id, { changed_after: after, limit: CHANGES_PAGE });
        timeline = withTold(timeline, page.messages);
        after = page.next;
        const known = page.complete && (after === null || pages < CHANGES_PAGES_MAX);
        if (!known) {
          this.#letGo(id);
          return;
        }
      }
    } catch (error) {
      // Not in it any more, or no such conversation. What could not be asked now is asked at the next start.
      if (error instanceof ApiError && !error.temporary) this.#letGo(id);
      return;
    }
    // Meanwhile it may have been opened, and be newer.
    if (this.#disposed || isWhole(this.#store.getState().timelines[id])) return;
    this.#storage.putWindow({ owner, id, ...kept, messages: timeline.messages });
  }
}

function windowOf(owner: UserId, id: ConversationId, timeline: Timeline, people: People): KeptWindow {
  const { messages, hasBefore } = timeline;
  const newest = messages.slice(-MESSAGES_MAX);
  return {
    owner,
    id,
    messages: newest,
    people: known(newest.flatMap(namedIn), people),
    hasBefore: hasBefore || newest.length < messages.length,
    atMs: Date.now(),
  };
}

const own = ({ id, username, display_name, show_receipts }: Me): Me => ({
  id,
  username,
  display_name,
  ...(show_receipts === undefined ? {} : { show_receipts }),
});

const isOut = ({ room }: ConversationEntry) => room?.role === null;

const hasLeft = (now: ChatState, before: ChatState): boolean =>
  Object.values(now.conversations).some((entry) => {
    const then = before.conversations[entry.id];
    return then !== undefined && entry !== then && isOut(entry) && !isOut(then);
  });

/** By name; of oneself no more than others may know. */
const known = (users: readonly UserId[], people: People): Person[] =>
  [...new Set(users)].flatMap((user) => {
    const { id, username, display_name } = people[user] ?? {};
    return id === undefined || username === undefined || display_name === undefined
      ? []
      : { id, username, display_name };
  });

function peopleOf({ others, last_message, last_event }: ConversationEntry): string[] {
  const named = (message: Message | null) => (message ? namedIn(message) : []);
  return [...others, ...named(last_message), ...named(last_event)];
}
