// Which of the conversations the list shows.
import type { ConversationId } from '@/lib/http/types';
import { callsOf } from '@/lib/tell/state';
import type { TellState } from '@/lib/tell/state';

import type { ChatState } from './chat-state';
import type { ConversationEntry } from './conversation-entry';

export type ListFilter = 'all' | 'unread' | 'people' | 'rooms';

const SHOWS: Record<ListFilter, (entry: ConversationEntry, tell: TellState | null) => boolean> = {
  all: () => true,
  // What is muted does not call.
  unread: (entry, tell) => callsOf(tell, entry) > 0,
  people: ({ kind }) => kind === 'direct',
  rooms: ({ kind }) => kind === 'room',
};

/** In the order of the list. What one reads just now does not vanish from under one's eyes. */
export function shownIds(
  { order, conversations, tell }: Pick<ChatState, 'order' | 'conversations' | 'tell'>,
  filter: ListFilter,
  chosen: ConversationId | null,
): ConversationId[] {
  if (filter === 'all') return order;
  return order.filter((id) => {
    const entry = conversations[id];
    return entry && (SHOWS[filter](entry, tell) || (filter === 'unread' && id === chosen));
  });
}
