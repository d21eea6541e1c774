// One row of the conversation list, and how messages and read positions change it.
import type { Conversation, Message, Position, UserId } from '@/lib/http/types';

export interface ConversationEntry extends Conversation {
  /** The server's `unread` includes everything up to here: live messages beyond it are counted on top. */
  counted_up_to: Position;
}

export const UNREAD_MAX_COUNT = 1_000;

export function fromServer(
  conversation: Conversation,
  known: ConversationEntry | undefined,
): ConversationEntry {
  const other_last_read = Math.max(conversation.other_last_read, known?.other_last_read ?? 0);
  // What arrived live after the answer was made is newer than the answer.
  if (known && known.last_position > conversation.last_position)
    return { ...known, person: conversation.person, other_last_read };
  const last_read = Math.max(conversation.last_read, known?.last_read ?? 0);
  const unread = last_read >= conversation.last_position ? 0 : conversation.unread;
  return { ...conversation, last_read, other_last_read, unread, counted_up_to: conversation.last_position };
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
    unread: counts ? Math.min(UNREAD_MAX_COUNT, entry.unread + 1) : entry.unread,
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
  const justRead = (message: Message) =>
    message.sender !== me && message.position > entry.last_read && message.position <= position;
  const left = Math.max(0, entry.unread - loaded.filter(justRead).length);
  return { ...entry, last_read: position, unread: position >= entry.last_position ? 0 : left };
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
