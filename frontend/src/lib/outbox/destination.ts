// Where something that one writes goes: one conversation. A direct one need not exist yet: its first message
// makes it, and is addressed to the person.
import type { ConversationId, UserId } from '@/lib/http/types';

export interface Destination {
  conversation: ConversationId;
  /** The other person of a direct conversation; null in a room. */
  to: UserId | null;
}
