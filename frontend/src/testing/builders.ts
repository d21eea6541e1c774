// Values for tests, complete where a test does not care.
import type { Conversation, ConversationPage, Message, MessagePage, Person } from '@/lib/http/types';
import type { Destination } from '@/lib/outbox/destination';
import { OF_CONVERSATION } from '@/lib/tell/settings';

export const me: Person = { id: 'me', username: 'me', display_name: 'Me' };
export const anna: Person = { id: 'anna', username: 'anna', display_name: 'Anna' };

export function message(position: number, change: Partial<Message> = {}): Message {
  return {
    id: `m${position}`,
    conversation: 'c',
    kind: 'direct',
    sender: anna.id,
    to: me.id,
    position,
    sent_at: new Date(Date.UTC(2026, 10, 21, 9, 0, position)).toISOString(),
    body: `text ${position}`,
    ...change,
  };
}

export function conversation(change: Partial<Conversation> = {}): Conversation {
  return {
    id: 'c',
    kind: 'direct',
    person: anna,
    last_message: null,
    last_position: 0,
    last_read: 0,
    other_last_read: 0,
    unread: 0,
    notifications: OF_CONVERSATION,
    ...change,
  };
}

/** All of them. */
export function conversationPage(conversations: Conversation[]): ConversationPage {
  const unread = conversations.reduce((sum, entry) => sum + entry.unread, 0);
  return { conversations, next: null, complete: true, totals: { calls: unread, mentions: 0, muted: 0 } };
}

export function page(positions: number[], change: Partial<MessagePage> = {}): MessagePage {
  return {
    messages: positions.map((position) => message(position)),
    has_before: false,
    has_after: false,
    complete: true,
    ...change,
  };
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Where what is written to somebody goes. */
export const to = (person: string): Destination => ({
  conversation: person === anna.id ? 'c' : `c-${person}`,
  to: person,
});
