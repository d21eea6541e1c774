// A message that the server has not accepted yet, as it is kept across reloads.
import type { ConversationId, UserId } from '@/lib/http/types';

export interface OutboxReason {
  code: string;
  message: string;
}

export interface OutboxItem {
  /** The same for every try, for ever: this is what makes a repeat harmless. */
  client_id: string;
  /** Whose outbox: several people can share a browser. */
  owner: UserId;
  /** The page that sends it; another one takes over when that page is gone. */
  page: string;
  conversation: ConversationId;
  /** The other person of a direct conversation; null in a room. */
  to: UserId | null;
  body: string;
  /** Milliseconds since the epoch; orders the outbox, with `client_id` as the tie-breaker. */
  created_at: number;
  /**
   * `queued`: its turn has not come. `sending`: on its way. `waiting`: refused for now, tried again by
   * itself. `failed`: refused for good; only the person can go on.
   */
  status: 'queued' | 'sending' | 'waiting' | 'failed';
  /** Why it waits or failed. */
  reason?: OutboxReason;
}
