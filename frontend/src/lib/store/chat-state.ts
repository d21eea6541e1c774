// Everything that the signed-in page shows, in one normalised place, keyed by conversation.
import type { ConversationId, Me } from '@/lib/http/types';
import type { OutboxItem } from '@/lib/outbox/outbox-item';
import type { Limits } from '@/lib/socket/frames';
import type { SocketState } from '@/lib/socket/socket-client';
import type { TellState } from '@/lib/tell/state';

import type { Aside } from './aside';
import type { ConversationEntry } from './conversation-entry';
import type { People } from './people';
import type { Timeline } from './timeline';

export interface ListState {
  status: 'loading' | 'ready' | 'failed';
  /** Where the next page of the list starts, null when there is none. */
  next: string | null;
  loadingMore: boolean;
}

export interface ChatState {
  me: Me;
  connection: SocketState;
  list: ListState;
  conversations: Record<ConversationId, ConversationEntry>;
  /** The ids of `conversations`, newest activity first. */
  order: ConversationId[];
  /** Everybody whom the page knows by name: in conversations, and of searches and links. */
  people: People;
  timelines: Record<ConversationId, Timeline>;
  /** What is quoted or pinned and stands outside of the window. */
  aside: Record<ConversationId, Aside>;
  /** Unsent messages by the conversation that they go to, also one that is still to begin; oldest first. */
  outbox: Record<ConversationId, OutboxItem[]>;
  /** Unsent edits, deletions, reactions and pins; oldest first. */
  pending: Record<ConversationId, OutboxItem[]>;
  /** As the server said last; null before. */
  limits: Limits | null;
  /** Of what one wants to be told; null while nobody knows, and where the server keeps none of it. */
  tell: TellState | null;
}

export function initialState(me: Me): ChatState {
  return {
    me,
    connection: { phase: 'idle' },
    list: { status: 'loading', next: null, loadingMore: false },
    conversations: {},
    order: [],
    people: { [me.id]: me },
    timelines: {},
    aside: {},
    outbox: {},
    pending: {},
    limits: null,
    tell: null,
  };
}
