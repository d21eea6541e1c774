// What happens live, as pure steps from one state to the next. A burst is one step: one new state, one
// render.
import type { Conversation, ConversationId, Message, Person, Position } from '@/lib/http/types';
import type { OutboxItem } from '@/lib/outbox/outbox-item';

import type { ChatState } from './chat-state';
import { fromServer, inOrder, withMessage, withRead } from './conversation-entry';
import type { ConversationEntry } from './conversation-entry';
import { withPeople } from './people';
import { endingAt, LOADING, withLive } from './timeline';

export type ChatEvent =
  | { kind: 'message'; message: Message; fresh: boolean }
  | { kind: 'read' | 'seen'; conversation: ConversationId; position: Position }
  | { kind: 'gap'; conversation: ConversationId; after: Position };

export function applyEvents(state: ChatState, events: readonly ChatEvent[]): ChatState {
  let next = state;
  for (let from = 0; from < events.length;) {
    const run = messagesFrom(events, from);
    const event = events[from];
    if (run.length > 0) next = withTimelines(summarised(next, run), run);
    else if (event && event.kind !== 'message') next = applied(next, event);
    from += Math.max(1, run.length);
  }
  return next.conversations === state.conversations ? next : reordered(next);
}

type Arrival = Extract<ChatEvent, { kind: 'message' }>;

/** The messages that stand together from here on. */
function messagesFrom(events: readonly ChatEvent[], from: number): Arrival[] {
  const run: Arrival[] = [];
  for (let at = from; ; at += 1) {
    const event = events[at];
    if (event?.kind !== 'message') return run;
    run.push(event);
  }
}

function applied(state: ChatState, event: Exclude<ChatEvent, { kind: 'message' }>): ChatState {
  const { kind, conversation } = event;
  if (kind === 'gap') return gapped(state, event);
  return kind === 'read'
    ? readUpTo(state, conversation, event.position)
    : seenUpTo(state, conversation, event.position);
}

/** The other one has read up to here. */
function seenUpTo(state: ChatState, id: ConversationId, position: Position): ChatState {
  const entry = state.conversations[id];
  if (!entry || position <= entry.other_last_read) return state;
  const seen = { ...entry, other_last_read: position };
  return { ...state, conversations: { ...state.conversations, [id]: seen } };
}

export function readUpTo(state: ChatState, id: ConversationId, position: Position): ChatState {
  const entry = state.conversations[id];
  if (!entry) return state;
  const read = withRead(entry, position, state.me.id, state.timelines[id]?.messages ?? []);
  return read === entry ? state : { ...state, conversations: { ...state.conversations, [id]: read } };
}

/** Conversations as the server tells them: a page of the list, or one that a message mentioned first. */
export function withConversations(state: ChatState, conversations: readonly Conversation[]): ChatState {
  const entries = { ...state.conversations };
  for (const conversation of conversations)
    entries[conversation.id] = fromServer(conversation, entries[conversation.id]);
  const people = withPeople(
    state.people,
    conversations.flatMap(({ person }) => person ?? []),
  );
  return reordered({ ...state, conversations: entries, people });
}

/** One's own name has changed: also as the partner of notes to self. */
export function withMe(state: ChatState, me: Person): ChatState {
  return { ...state, me, people: { ...state.people, [me.id]: me } };
}

export function withOutbox(state: ChatState, items: readonly OutboxItem[]): ChatState {
  const outbox: ChatState['outbox'] = {};
  for (const item of items) (outbox[item.conversation] ??= []).push(item);
  // Lanes that did not change stay the same arrays, so that their views do not render again.
  for (const [id, lane] of Object.entries(outbox)) {
    const known = state.outbox[id];
    if (known?.length === lane.length && known.every((item, i) => item === lane[i])) outbox[id] = known;
  }
  return { ...state, outbox };
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
  return {
    id,
    kind: 'direct',
    others: [to],
    title: null,
    last_message: null,
    last_position: 0,
    last_read: 0,
    other_last_read: 0,
    unread: 0,
    counted_up_to: 0,
    live: [],
  };
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

function gapped(
  state: ChatState,
  { conversation: id, after }: { conversation: ConversationId; after: Position },
): ChatState {
  const timeline = state.timelines[id];
  return timeline ? { ...state, timelines: { ...state.timelines, [id]: endingAt(timeline, after) } } : state;
}

function reordered(state: ChatState): ChatState {
  return { ...state, order: inOrder(Object.values(state.conversations)) };
}
