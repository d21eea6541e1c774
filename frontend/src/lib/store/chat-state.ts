// Everything that the signed-in page shows, in one normalised place, keyed by conversation.
import type { ConversationId, Person, UserId } from '@/lib/http/types';
import type { OutboxItem } from '@/lib/outbox/outbox-item';
import type { SocketState } from '@/lib/socket/socket-client';

import type { ConversationEntry } from './conversation-entry';
import type { Timeline } from './timeline';

export interface ListState {
  status: 'loading' | 'ready' | 'failed';
  /** Where the next page of the list starts, null when there is none. */
  next: string | null;
  loadingMore: boolean;
}

export interface ChatState {
  me: Person;
  connection: SocketState;
  list: ListState;
  conversations: Record<ConversationId, ConversationEntry>;
  /** The ids of `conversations`, newest activity first. */
  order: ConversationId[];
  /** The direct conversation with each person. */
  byPerson: Record<UserId, ConversationId>;
  /** People seen in searches and links, who may have no conversation yet. */
  people: Record<UserId, Person>;
  timelines: Record<ConversationId, Timeline>;
  /** Unsent messages by the person that they go to, oldest first. */
  outbox: Record<UserId, OutboxItem[]>;
}

export function initialState(me: Person): ChatState {
  return {
    me,
    connection: { phase: 'idle' },
    list: { status: 'loading', next: null, loadingMore: false },
    conversations: {},
    order: [],
    byPerson: {},
    people: { [me.id]: me },
    timelines: {},
    outbox: {},
  };
}
