// Where reading goes on: whether a page of history reaches the first message that is not read yet.
import type { Message, Position } from '@/lib/http/types';

/** What of a conversation is not read yet. */
export interface Unread {
  count: number;
  /** 0: nothing was ever read. */
  after: Position;
  is: (message: Message) => boolean;
}

/** Whether the first unread message, if there is one, is provably among these. */
export function hasFirstUnread(messages: readonly Message[], hasBefore: boolean, unread: Unread): boolean {
  if (unread.count === 0) return true;
  const beginsBefore = !hasBefore || (messages[0]?.position ?? Infinity) <= unread.after;
  return beginsBefore && messages.some(unread.is);
}
