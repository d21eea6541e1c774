// What the server has not accepted yet, as it is kept across reloads: a message, or what is done with one.
import type { ConversationId, Target, UserId } from '@/lib/http/types';

export interface OutboxReason {
  code: string;
  message: string;
}

/** What is done with a message that stands in the conversation. */
export type Deed =
  | { does: 'edit'; target: Target; mentions?: readonly UserId[] }
  | { does: 'delete'; target: Target }
  | { does: 'react'; target: Target; emoji: string; on: boolean }
  | { does: 'pin'; target: Target; on: boolean };

/** What is said or done, without what the outbox adds to it. */
export type OutboxContent = Pick<OutboxItem, 'body' | 'reply_to' | 'mentions' | 'everyone' | 'deed'>;

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
  /** Of a message or an edit; else empty. */
  body: string;
  reply_to?: Target;
  mentions?: readonly UserId[];
  everyone?: boolean;
  /** Absent: it is a message. */
  deed?: Deed;
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

export const isUnsentMessage = ({ deed }: OutboxItem): boolean => deed === undefined;
