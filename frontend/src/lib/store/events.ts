// What happens live, as pure steps from one state to the next. A burst is one step: one new state, one
// render.
import type { Conversation, ConversationId, Me, Message, Position, Room } from '@/lib/http/types';
import { isUnsentMessage } from '@/lib/outbox/outbox-item';
import type { OutboxItem } from '@/lib/outbox/outbox-item';
import { withChanges } from '@/lib/timeline/change';
import type { Change } from '@/lib/timeline/change';

import { withAside } from './aside';
import type { Aside } from './aside';
import type { ChatState } from './chat-state';
import {
  beginning,
  fromServer,
  inOrder,
  withChangesOf,
  withMessage,
  withRead,
  withRoom,
  withToldLast,
} from './conversation-entry';
import type { ConversationEntry } from './conversation-entry';
import { withPeople } from './people';
import { endingAt, LOADING, withChanged, withLive, withTold } from './timeline';
import type { Timeline } from './timeline';

export type ChatEvent =
  | { kind: 'message'; message: Message; fresh: boolean }
  | { kind: 'read' | 'seen' | 'delivered'; conversation: ConversationId; position: Position }
  | { kind: 'gap'; conversation: ConversationId; after: Position; before?: Position | null }
  /** `atMs`: when it was told. */
  | { kind: 'room'; room: Room; atMs: number }
  /** What was said later of a message. */
  | { kind: 'change'; conversation: ConversationId; change: Change }
  /** Messages as they are now; those that are not here stay away. */
  | { kind: 'told'; conversation: ConversationId; messages: readonly Message[] };

export function applyEvents(state: ChatState, events: readonly ChatEvent[]): ChatState {
  let next = state;
  for (let from = 0; from < events.length;) {
    const run = runFrom(events, from, 'message');
    const changes = runFrom(events, from, 'change');
    const event = events[from];
    if (run.length > 0) next = withTimelines(summarised(next, run), run);
    else if (changes.length > 0) next = withAllChanges(next, changes);
    else if (event && event.kind !== 'message' && event.kind !== 'change') next = applied(next, event);
    from += Math.max(1, run.length, changes.length);
  }
  return next.conversations === state.conversations ? next : reordered(next);
}

type Of<K extends ChatEvent['kind']> = Extract<ChatEvent, { kind: K }>;
type Arrival = Of<'message'>;

/** Those of one kind that stand together from here on. */
function runFrom<K extends ChatEvent['kind']>(events: readonly ChatEvent[], from: number, kind: K): Of<K>[] {
  const run: Of<K>[] = [];
  for (let at = from; ; at += 1) {
    const event = events[at];
    if (event?.kind !== kind) return run;
    run.push(event as Of<K>);
  }
}

function applied(state: ChatState, event: Exclude<ChatEvent, { kind: 'message' | 'change' }>): ChatState {
  switch (event.kind) {
    case 'gap':
      return gapped(state, event);
    case 'room':
      return roomTold(state, event.room, event.atMs);
    case 'read':
      return readUpTo(state, event.conversation, event.position);
    case 'seen':
      return otherUpTo(state, event, 'other_last_read');
    case 'delivered':
      return otherUpTo(state, event, 'other_has');
    case 'told':
      return withToldMessages(state, event.conversation, event.messages);
  }
}

/** Of a room that is not in memory there is no more to say: whoever comes into one asks for it. */
function roomTold(state: ChatState, room: Room, atMs: number): ChatState {
  const { [room.id]: known, ...others } = state.conversations;
  if (!known) return state;
  const conversations = { ...others, [room.id]: withRoom(known, room, atMs) };
  if (room.role !== null) return { ...state, conversations };
  // What was said there is for those who are in it.
  const { [room.id]: _, ...timelines } = state.timelines;
  const { [room.id]: __, ...aside } = state.aside;
  return { ...state, conversations, timelines, aside };
}

/** This person has come into a room, or has made one: it is in the list at once. */
export function withOwnRoom(state: ChatState, room: Room, atMs: number): ChatState {
  const known = state.conversations[room.id];
  const entry = known ?? { ...beginning(room.id), kind: 'room' as const };
  const at = known?.room?.role ? known.at : new Date(atMs).toISOString();
  const conversations = { ...state.conversations, [room.id]: { ...withRoom(entry, room, atMs), at } };
  return reordered({ ...state, conversations });
}

/** The other one has read up to here, or has it on a device: it only grows. */
function otherUpTo(
  state: ChatState,
  { conversation: id, position }: { conversation: ConversationId; position: Position },
  what: 'other_last_read' | 'other_has',
): ChatState {
  const entry = state.conversations[id];
  if (!entry || position <= entry[what]) return state;
  return { ...state, conversations: { ...state.conversations, [id]: { ...entry, [what]: position } } };
}

export function readUpTo(state: ChatState, id: ConversationId, position: Position): ChatState {
  const entry = state.conversations[id];
  if (!entry) return state;
  const read = withRead(entry, position, state.me.id, state.timelines[id]?.messages ?? []);
  return read === entry ? state : { ...state, conversations: { ...state.conversations, [id]: read } };
}

/** Conversations as the server tells them: a page of the list, or one that a message mentioned first. */
export function withConversations(
  state: ChatState,
  conversations: readonly Conversation[],
  askedAtMs = Infinity,
): ChatState {
  const entries = { ...state.conversations };
  for (const conversation of conversations)
    entries[conversation.id] = fromServer(conversation, entries[conversation.id], askedAtMs);
  const people = withPeople(
    state.people,
    conversations.flatMap(({ person }) => person ?? []),
  );
  return reordered({ ...state, conversations: entries, people });
}

/** All that there is was told: rooms that were not are those that this person is no longer in. */
export function withoutRooms(state: ChatState, told: readonly Conversation[], askedAtMs: number): ChatState {
  const ids = new Set(told.map(({ id }) => id));
  const gone = Object.values(state.conversations).filter(
    ({ id, room, room_at_ms }) => room?.role != null && !ids.has(id) && room_at_ms < askedAtMs,
  );
  return applyEvents(
    state,
    gone.flatMap(({ room }) =>
      room ? [{ kind: 'room', room: { ...room, role: null }, atMs: askedAtMs }] : [],
    ),
  );
}

/** One's own name has changed: also as the partner of notes to self. Or what one shows of oneself. */
export function withMe(state: ChatState, told: Me): ChatState {
  const { id, username, display_name, show_receipts = state.me.show_receipts } = told;
  const same = state.me.display_name === display_name;
  if (same && state.me.show_receipts === show_receipts) return state;
  const me = { id, username, display_name, ...(show_receipts === undefined ? {} : { show_receipts }) };
  return { ...state, me, people: same ? state.people : { ...state.people, [id]: me } };
}

export function withOutbox(state: ChatState, items: readonly OutboxItem[]): ChatState {
  const outbox = lanes(items.filter(isUnsentMessage), state.outbox);
  const pending = lanes(
    items.filter((item) => !isUnsentMessage(item)),
    state.pending,
  );
  return { ...state, outbox, pending };
}

/** Lanes that did not change stay the same arrays, so that their views do not render again. */
function lanes(items: readonly OutboxItem[], known: ChatState['outbox']): ChatState['outbox'] {
  const made: ChatState['outbox'] = {};
  for (const item of items) (made[item.conversation] ??= []).push(item);
  for (const [id, lane] of Object.entries(made)) {
    const before = known[id];
    if (before?.length === lane.length && before.every((item, i) => item === lane[i])) made[id] = before;
  }
  return made;
}

/** Each conversation once, however many changes there are. */
function withAllChanges(state: ChatState, events: readonly Of<'change'>[]): ChatState {
  const byConversation = new Map<ConversationId, Change[]>();
  for (const { conversation, change } of events) {
    const known = byConversation.get(conversation);
    if (known) known.push(change);
    else byConversation.set(conversation, [change]);
  }
  const me = state.me.id;
  let next = state;
  for (const [id, changes] of byConversation)
    next = withPart(next, id, {
      entry: (entry) => withChangesOf(entry, changes, me),
      timeline: (timeline) => withChanged(timeline, changes, me),
      aside: (aside) => withChanges(aside as Message[], changes, me),
    });
  return next;
}

export function withToldMessages(state: ChatState, id: ConversationId, told: readonly Message[]): ChatState {
  return withPart(state, id, {
    entry: (entry) => withToldLast(entry, told),
    timeline: (timeline) => withTold(timeline, told),
    aside: (aside) => {
      const here = new Set(aside.map((message) => message.id));
      const own = told.filter((message) => here.has(message.id));
      return own.length === 0 ? aside : withAside(aside, own);
    },
  });
}

interface Steps {
  entry: (entry: ConversationEntry) => ConversationEntry;
  timeline: (timeline: Timeline) => Timeline;
  aside: (aside: Aside) => Aside;
}

/** All that is kept of a conversation's messages. What stays the same object renders nothing. */
function withPart(state: ChatState, id: ConversationId, steps: Steps): ChatState {
  const one = <K extends 'conversations' | 'timelines' | 'aside'>(
    key: K,
    step: (part: ChatState[K][string]) => ChatState[K][string],
  ): ChatState[K] => {
    const part = state[key][id] as ChatState[K][string] | undefined;
    const now = part === undefined ? part : step(part);
    return part === now ? state[key] : { ...state[key], [id]: now };
  };
  const conversations = one('conversations', steps.entry);
  const timelines = one('timelines', steps.timeline);
  const aside = one('aside', steps.aside);
  const same =
    conversations === state.conversations && timelines === state.timelines && aside === state.aside;
  return same ? state : { ...state, conversations, timelines, aside };
}

/** What a run of messages makes of the list. The maps are copied once, however many messages there are. */
function summarised(state: ChatState, arrivals: readonly Arrival[]): ChatState {
  const changed = new Map<ConversationId, ConversationEntry>();
  const timelines: ChatState['timelines'] = {};
  for (const { message, fresh } of arrivals) {
    const id = message.conversation;
    const known = changed.get(id) ?? state.conversations[id];
    const entry = known ?? firstMessage(state, message);
    if (!entry) continue;
    const after = withMessage(entry, message, state.me.id, fresh);
    if (after !== known) changed.set(id, after);
    // The view goes on without a loading state; that there is nothing before this message is asked like any
    // older page.
    if (!known) timelines[id] = { ...LOADING, status: 'ready', messages: [message], hasBefore: true };
  }
  if (changed.size === 0) return state;
  const conversations = { ...state.conversations, ...Object.fromEntries(changed) };
  return { ...state, conversations, timelines: { ...timelines, ...state.timelines } };
}

/** One begins with its first message, when the other one is known by name; else the server is asked. */
function firstMessage(state: ChatState, message: Message): ConversationEntry | undefined {
  const { conversation: id, kind, sender, to } = message;
  if (kind !== 'direct' || sender !== state.me.id || to === undefined || !state.people[to]) return undefined;
  return { ...beginning(id), others: [to] };
}

function withTimelines(state: ChatState, arrivals: readonly Arrival[]): ChatState {
  const byConversation: Record<ConversationId, Message[]> = {};
  for (const { message } of arrivals) (byConversation[message.conversation] ??= []).push(message);
  const timelines = { ...state.timelines };
  for (const [id, messages] of Object.entries(byConversation)) {
    const timeline = timelines[id];
    if (timeline) timelines[id] = withLive(timeline, messages);
  }
  return { ...state, timelines };
}

function gapped(state: ChatState, { conversation: id, after, before }: Of<'gap'>): ChatState {
  // No message is missing, only what was said of older ones.
  if (after === before) return state;
  const timeline = state.timelines[id];
  return timeline ? { ...state, timelines: { ...state.timelines, [id]: endingAt(timeline, after) } } : state;
}

function reordered(state: ChatState): ChatState {
  return { ...state, order: inOrder(Object.values(state.conversations)) };
}
