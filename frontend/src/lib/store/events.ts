// What happens live, as pure steps from one state to the next. A burst is one step: one new state, one
// render.
import type { Conversation, ConversationId, Message, Person, Position } from '@/lib/http/types';
import type { OutboxItem } from '@/lib/outbox/outbox-item';

import type { ChatState } from './chat-state';
import { fromServer, inOrder, withMessage, withRead } from './conversation-entry';
import { endingAt, LOADING, withLive } from './timeline';

export type ChatEvent =
  | { kind: 'message'; message: Message; fresh: boolean }
  | { kind: 'read' | 'seen'; conversation: ConversationId; position: Position }
  | { kind: 'gap'; conversation: ConversationId; after: Position };

export function applyEvents(state: ChatState, events: readonly ChatEvent[]): ChatState {
  let next = state;
  let live: Message[] = [];
  const flush = () => {
    next = withTimelines(next, live);
    live = [];
  };
  for (const event of events) {
    if (event.kind === 'message') {
      next = summarised(next, event.message, event.fresh);
      live.push(event.message);
    } else {
      flush();
      next = applied(next, event);
    }
  }
  flush();
  return next.conversations === state.conversations ? next : reordered(next);
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
  const byPerson = { ...state.byPerson };
  for (const conversation of conversations) {
    entries[conversation.id] = fromServer(conversation, entries[conversation.id]);
    byPerson[conversation.person.id] = conversation.id;
  }
  return reordered({ ...state, conversations: entries, byPerson });
}

/** One's own name has changed: also as the partner of notes to self. */
export function withMe(state: ChatState, me: Person): ChatState {
  const notes = state.conversations[state.byPerson[me.id] ?? ''];
  return {
    ...state,
    me,
    people: { ...state.people, [me.id]: me },
    conversations: notes
      ? { ...state.conversations, [notes.id]: { ...notes, person: me } }
      : state.conversations,
  };
}

export function withOutbox(state: ChatState, items: readonly OutboxItem[]): ChatState {
  const outbox: ChatState['outbox'] = {};
  for (const item of items) (outbox[item.to] ??= []).push(item);
  // Lanes that did not change stay the same arrays, so that their views do not render again.
  for (const [to, lane] of Object.entries(outbox)) {
    const known = state.outbox[to];
    if (known?.length === lane.length && known.every((item, i) => item === lane[i])) outbox[to] = known;
  }
  return { ...state, outbox };
}

function summarised(state: ChatState, message: Message, fresh: boolean): ChatState {
  const known = state.conversations[message.conversation];
  const entry = known ?? firstMessage(state, message);
  if (!entry) return state;
  const after = withMessage(entry, message, state.me.id, fresh);
  if (after === known) return state;
  const next = { ...state, conversations: { ...state.conversations, [entry.id]: after } };
  if (known) return next;
  // The view goes on without a loading state; that there is nothing before this message is asked like any
  // older page.
  const timeline = { ...LOADING, status: 'ready' as const, messages: [message], hasBefore: true };
  return {
    ...next,
    byPerson: { ...state.byPerson, [entry.person.id]: entry.id },
    timelines: { ...state.timelines, [entry.id]: state.timelines[entry.id] ?? timeline },
  };
}

/**
 * A conversation begins with its first message, when the other one is known by name; else the server is
 * asked.
 */
function firstMessage(state: ChatState, message: Message) {
  if (message.sender !== state.me.id) return undefined;
  const person = state.people[message.to];
  const { conversation: id } = message;
  return (
    person && {
      id,
      kind: 'direct' as const,
      person,
      last_message: null,
      last_position: 0,
      last_read: 0,
      other_last_read: 0,
      unread: 0,
      counted_up_to: 0,
      live: [],
    }
  );
}

function withTimelines(state: ChatState, live: readonly Message[]): ChatState {
  if (live.length === 0) return state;
  const byConversation: Record<ConversationId, Message[]> = {};
  for (const message of live) (byConversation[message.conversation] ??= []).push(message);
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
