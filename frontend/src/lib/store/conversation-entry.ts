// One row of the conversation list, and how messages and read positions change it.
import type { Conversation, ConversationId, Message, Position, UserId } from '@/lib/http/types';

export interface ConversationEntry {
  id: ConversationId;
  /** Whatever is not between two people is shown as a room. */
  kind: 'direct' | 'room';
  /** Direct: the other one, or oneself for notes to self. Their names are in the state's `people`. */
  others: readonly UserId[];
  /** What a room is called. */
  title: string | null;
  last_message: Message | null;
  last_position: Position;
  last_read: Position;
  /** How far the other one has read; 0 where there are many. */
  other_last_read: Position;
  unread: number;
  /** The server's count includes everything up to here: live messages beyond it are counted on top. */
  counted_up_to: Position;
  /** Where these unread live messages stand: what was read elsewhere meanwhile goes from them one by one. */
  live: readonly Position[];
}

export const UNREAD_MAX_COUNT = 1_000;

export function fromServer(
  conversation: Conversation,
  known: ConversationEntry | undefined,
): ConversationEntry {
  const { id, last_message, last_position, person } = conversation;
  const other_last_read = Math.max(conversation.other_last_read ?? 0, known?.other_last_read ?? 0);
  const who = {
    kind: conversation.kind === 'direct' && person ? ('direct' as const) : ('room' as const),
    others: person ? [person.id] : [],
    title: conversation.title ?? null,
  };
  // An answer that another one has overtaken says nothing of what that one counted.
  if (known && known.counted_up_to > conversation.last_position) return { ...known, ...who, other_last_read };
  const last_read = Math.max(conversation.last_read, known?.last_read ?? 0);
  const live = (known?.live ?? []).filter((at) => at > Math.max(last_read, conversation.last_position));
  const unread = Math.min(UNREAD_MAX_COUNT, countedBy(conversation, known) + live.length);
  const entry = { id, ...who, last_message, last_position, last_read, other_last_read, unread, live };
  const counted_up_to = conversation.last_position;
  // What arrived live after the answer was made is newer than the answer.
  return known && known.last_position > conversation.last_position
    ? { ...entry, counted_up_to, last_message: known.last_message, last_position: known.last_position }
    : { ...entry, counted_up_to };
}

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
  const counts =
    fresh && message.sender !== me && message.position > Math.max(entry.last_read, entry.counted_up_to);
  const newest = message.position > entry.last_position;
  if (!counts && !newest) return entry;
  return {
    ...entry,
    ...(counts
      ? {
          unread: Math.min(UNREAD_MAX_COUNT, entry.unread + 1),
          live: [...entry.live, message.position].slice(-UNREAD_MAX_COUNT),
        }
      : {}),
    ...(newest ? { last_message: message, last_position: message.position } : {}),
  };
}

/** `loaded`: the messages of the conversation that are in memory, to count those that were read now. */
export function withRead(
  entry: ConversationEntry,
  position: Position,
  me: UserId,
  loaded: readonly Message[],
): ConversationEntry {
  if (position <= entry.last_read) return entry;
  const live = entry.live.filter((at) => at > position);
  const justRead = (message: Message) =>
    message.sender !== me &&
    message.position > entry.last_read &&
    message.position <= Math.min(position, entry.counted_up_to);
  const counted =
    position >= entry.counted_up_to
      ? 0
      : Math.max(0, entry.unread - entry.live.length - loaded.filter(justRead).length);
  const unread = position >= entry.last_position ? 0 : counted + live.length;
  return { ...entry, last_read: position, live, unread };
}

/** Newest activity first. Times, because positions of two conversations cannot be compared. */
export function inOrder(entries: Iterable<ConversationEntry>): string[] {
  return [...entries]
    .sort(
      (a, b) => compare(b.last_message?.sent_at ?? '', a.last_message?.sent_at ?? '') || compare(b.id, a.id),
    )
    .map(({ id }) => id);
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
