// One row of the conversation list, and how messages, events and read positions change it.
import type { Conversation, ConversationId, Message, Position, Room, UserId } from '@/lib/http/types';
import { changed, newest } from '@/lib/timeline/change';
import type { Change } from '@/lib/timeline/change';
import { isMessage } from '@/lib/timeline/event';

export interface ConversationEntry {
  id: ConversationId;
  /** Whatever is not between two people is shown as a room. */
  kind: 'direct' | 'room';
  /** Direct: the other one, or oneself for notes to self. Their names are in the state's `people`. */
  others: readonly UserId[];
  /** As this person sees it; null in direct ones, and for what this page does not know. */
  room: Room | null;
  /** When `room` was told live: an answer to a question from before that is older. */
  room_at_ms: number;
  last_message: Message | null;
  /** What happened last in the room, as far as this page heard of it. */
  last_event: Message | null;
  last_position: Position;
  last_read: Position;
  /** How far the other one has read; 0 where there are many. */
  other_last_read: Position;
  /** How far a device of the other one has it, as far as this page heard: nobody keeps it. */
  other_has: Position;
  unread: number;
  /** Those of them that name this person. */
  mentions: number;
  /** The server's count includes everything up to here: live messages beyond it are counted on top. */
  counted_up_to: Position;
  /** Where these unread live messages stand: what was read elsewhere meanwhile goes from them one by one. */
  live: readonly Position[];
  /** Those of them that name this person. */
  live_mentions: readonly Position[];
  /** When one came into it, at least: a room is in the list before anything is said in it. */
  at: string;
}

export const UNREAD_MAX_COUNT = 1_000;

/** One that begins here and now. */
export const beginning = (id: ConversationId): ConversationEntry => ({
  id,
  kind: 'direct',
  others: [],
  room: null,
  room_at_ms: 0,
  last_message: null,
  last_event: null,
  last_position: 0,
  last_read: 0,
  other_last_read: 0,
  other_has: 0,
  unread: 0,
  mentions: 0,
  counted_up_to: 0,
  live: [],
  live_mentions: [],
  at: '',
});

/** `askedAtMs`: when this was asked for, which is older than what was told live since then. */
export function fromServer(
  conversation: Conversation,
  known: ConversationEntry | undefined,
  askedAtMs = Infinity,
): ConversationEntry {
  const { id, last_position, person } = conversation;
  const other_last_read = Math.max(conversation.other_last_read ?? 0, known?.other_last_read ?? 0);
  const told = { room: conversation.room ?? null, room_at_ms: known?.room_at_ms ?? 0 };
  const { room, room_at_ms } = known && known.room_at_ms > askedAtMs ? known : told;
  const who = {
    kind: conversation.kind === 'direct' && person ? ('direct' as const) : ('room' as const),
    others: person ? [person.id] : [],
    room,
    room_at_ms,
    at: later(conversation.at ?? '', known?.at ?? ''),
  };
  // An answer that another one has overtaken says nothing of what that one counted.
  if (known && known.counted_up_to > last_position) return { ...known, ...who, other_last_read };
  const last_read = Math.max(conversation.last_read, known?.last_read ?? 0);
  const isLeft = (at: Position) => at > Math.max(last_read, last_position);
  const live = (known?.live ?? []).filter(isLeft);
  const live_mentions = (known?.live_mentions ?? []).filter(isLeft);
  const counted = countedBy(conversation, known);
  const unread = Math.min(UNREAD_MAX_COUNT, counted + live.length);
  const named = counted === 0 ? 0 : Math.min(counted, conversation.mentions ?? 0);
  return {
    id,
    ...who,
    // What arrived live after the answer was made is newer than the answer.
    last_message: lastOf(known?.last_message ?? null, conversation.last_message),
    last_event: known?.last_event ?? null,
    last_position: Math.max(last_position, known?.last_position ?? 0),
    last_read,
    other_last_read,
    other_has: known?.other_has ?? 0,
    unread,
    mentions: named + live_mentions.length,
    counted_up_to: last_position,
    live,
    live_mentions,
  };
}

/** Of the same message, what is newer of it. */
function lastOf(known: Message | null, told: Message | null): Message | null {
  if (known && told?.id === known.id) return newest(told, known);
  return (known?.position ?? 0) > (told?.position ?? 0) ? known : told;
}

const later = (a: string, b: string) => (a > b ? a : b);

/** What the server's answer leaves unread, without what was read here and it did not know yet. */
function countedBy(conversation: Conversation, known: ConversationEntry | undefined): number {
  if (!known || known.last_read <= conversation.last_read) return conversation.unread;
  if (known.last_read >= conversation.last_position) return 0;
  const here = known.unread - known.live.length;
  return known.counted_up_to === conversation.last_position
    ? Math.min(here, conversation.unread)
    : conversation.unread;
}

/** `fresh`: not seen before by this page; a repeat changes no count. */
export function withMessage(
  entry: ConversationEntry,
  message: Message,
  me: UserId,
  fresh: boolean,
): ConversationEntry {
  if (!isMessage(message)) return withEvent(entry, message);
  const counts =
    fresh && message.sender !== me && message.position > Math.max(entry.last_read, entry.counted_up_to);
  const last_message = lastOf(entry.last_message, message);
  if (!counts && last_message === entry.last_message) return entry;
  const named = counts && (message.mentions ?? []).includes(me);
  return {
    ...entry,
    ...(counts
      ? {
          unread: Math.min(UNREAD_MAX_COUNT, entry.unread + 1),
          live: [...entry.live, message.position].slice(-UNREAD_MAX_COUNT),
        }
      : {}),
    ...(named
      ? {
          mentions: entry.mentions + 1,
          live_mentions: [...entry.live_mentions, message.position].slice(-UNREAD_MAX_COUNT),
        }
      : {}),
    last_message,
    last_position: Math.max(entry.last_position, message.position),
  };
}

/** What is said later of the newest message. */
export function withChangesOf(
  entry: ConversationEntry,
  changes: readonly Change[],
  me: UserId,
): ConversationEntry {
  const last = entry.last_message;
  const own = last ? changes.filter(({ target }) => target === last.position) : [];
  const last_message = last && own.length > 0 ? changed(last, own, me) : last;
  return last_message === last ? entry : { ...entry, last_message };
}

/** The newest message as it was told anew; no other one takes its place. */
export function withToldLast(entry: ConversationEntry, told: readonly Message[]): ConversationEntry {
  const last = entry.last_message;
  const same = last && told.find(({ id }) => id === last.id);
  const last_message = same ? newest(same, last) : last;
  return last_message === last ? entry : { ...entry, last_message };
}

/** What happens in a room is nothing that one has to read. */
function withEvent(entry: ConversationEntry, event: Message): ConversationEntry {
  const { position } = event;
  if (position <= (entry.last_event?.position ?? 0)) return entry;
  return { ...entry, last_event: event, last_position: Math.max(entry.last_position, position) };
}

/**
 * The room as it is told live. Whoever is no longer in it has nothing to read there, and finds it again by
 * its address only.
 */
export function withRoom(entry: ConversationEntry, room: Room, atMs: number): ConversationEntry {
  // Whoever is not in a private room is told no more than that: what it was is known here.
  const isHidden = room.role === null && room.visibility === 'private' && entry.room;
  const now = isHidden ? { ...isHidden, role: null, banned: room.banned, visibility: room.visibility } : room;
  const told = { ...entry, kind: 'room' as const, room: now, room_at_ms: atMs };
  if (room.role !== null) return told;
  return { ...told, unread: 0, mentions: 0, live: [], live_mentions: [], last_message: null };
}

/** In the list. */
export const isListed = ({ room }: ConversationEntry): boolean => room?.role !== null;

/** `loaded`: the messages of the conversation that are in memory, to count those that were read now. */
export function withRead(
  entry: ConversationEntry,
  position: Position,
  me: UserId,
  loaded: readonly Message[],
): ConversationEntry {
  if (position <= entry.last_read) return entry;
  const live = entry.live.filter((at) => at > position);
  const live_mentions = entry.live_mentions.filter((at) => at > position);
  const justRead = (message: Message) =>
    isMessage(message) &&
    message.sender !== me &&
    message.position > entry.last_read &&
    message.position <= Math.min(position, entry.counted_up_to);
  const read = position >= entry.counted_up_to ? null : loaded.filter(justRead);
  const counted = read ? Math.max(0, entry.unread - entry.live.length - read.length) : 0;
  const namesMe = ({ mentions = [] }: Message) => mentions.includes(me);
  const named = read
    ? Math.max(0, entry.mentions - entry.live_mentions.length - read.filter(namesMe).length)
    : 0;
  const unread = position >= entry.last_position ? 0 : counted + live.length;
  const mentions = Math.min(unread, named + live_mentions.length);
  return { ...entry, last_read: position, live, live_mentions, unread, mentions };
}

/**
 * Those of the list, newest activity first. Times, because positions of two conversations cannot be
 * compared.
 */
export function inOrder(entries: Iterable<ConversationEntry>): string[] {
  return [...entries]
    .filter(isListed)
    .map((entry) => ({ id: entry.id, at: later(entry.last_message?.sent_at ?? '', entry.at) }))
    .sort((a, b) => compare(b.at, a.at) || compare(b.id, a.id))
    .map(({ id }) => id);
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
