// The frames of protocol v1, both ways, and the reading of what comes in: a frame of an unknown type, or one
// that is not JSON, is skipped, never thrown. Written by hand: the server describes REST, not the socket, by
// a schema; what is the same in both is taken from there.
import type * as rest from '@/lib/http/types';
import type { General, OfConversation } from '@/lib/tell/settings';
import type {
  Availability,
  ConversationId,
  Message,
  Position,
  Room,
  Target,
  TimelineEvent,
  UserId,
} from '@/lib/http/types';

export type ClientFrame =
  | { type: 'hello'; resume?: string }
  // `retry` is for servers of the first version; later ones find out by themselves.
  | {
      type: 'send';
      client_id: string;
      /** One of the two: a person, or a conversation that exists. */
      to?: UserId;
      conversation?: ConversationId;
      body: string;
      reply_to?: Target;
      mentions?: readonly UserId[];
      everyone?: boolean;
      retry?: boolean;
    }
  | ({ type: 'edit'; body: string; mentions?: readonly UserId[] } & OfMessage)
  | ({ type: 'delete' } & OfMessage)
  | ({ type: 'react'; emoji: string; on: boolean } & OfMessage)
  | ({ type: 'pin'; on: boolean } & OfMessage)
  | { type: 'read'; conversation: ConversationId; position: Position }
  /** What the other one wrote up to here has come to this device. */
  | { type: 'received'; conversation: ConversationId; position: Position }
  /** Whom and what this page shows, instead of what it said before. */
  | { type: 'watch'; users: readonly UserId[]; conversations: readonly ConversationId[] }
  /** Whether nobody sits before this page. */
  | { type: 'idle'; on: boolean }
  | { type: 'typing'; conversation: ConversationId; on: boolean }
  | { type: 'ping' };

/** What is done with a message that stands in the conversation. */
interface OfMessage {
  client_id: string;
  conversation: ConversationId;
  target: Target;
}

export interface Limits {
  body_max_chars: number;
  client_id_max_chars: number;
  frame_max_bytes: number;
  max_in_flight: number;
  /** Servers that let messages be answered, edited, deleted and so on say these. */
  mentions_max?: number;
  /** Pinned messages that a list of them has at most; absent while the server has no such list. */
  pins_max?: number;
  reactions_per_person_max?: number;
  /** In larger rooms only moderators call everybody. */
  everyone_free_members?: number;
  /** How long one may edit; null: for ever. */
  edit_limit_ms?: number | null;
  /** In rooms of up to so many members one sees who has read what; absent where nobody does. */
  receipts_members_max?: number;
}

export interface Welcome {
  type: 'welcome';
  user: rest.Me;
  cursor: string;
  resumed: boolean;
  /** What new `client_id`s shall begin with; servers of the first version give none. */
  client_id_prefix?: string;
  heartbeat_ms: number;
  limits: Limits;
}

export type Accepted = rest.Accepted & { type: 'accepted' };

export interface Rejected {
  type: 'rejected';
  client_id: string;
  code: string;
  message: string;
  temporary: boolean;
  field?: string;
  retry_after_ms?: number;
}

export interface Gap {
  type: 'gap';
  conversation: ConversationId;
  after: Position;
  before: Position | null;
  /** Changes of older messages after this position are not told one by one. */
  changes_after?: Position;
}

/** A change of a message, in its place of the log. */
type ChangeOf<T> = T & {
  conversation: ConversationId;
  position: Position;
  actor: UserId;
  at: string;
  target: Target;
  /** Only to its actor. */
  client_id?: string;
};

export type ChangeFrame = ChangeOf<
  | { type: 'edited'; body: string; mentions?: UserId[] }
  | { type: 'deleted'; reason?: string }
  | { type: 'reacted'; emoji: string; on: boolean }
>;

/** What a message is now, that changed while this page was away. */
export interface ChangedFrame {
  type: 'changed';
  message: Message;
}

export interface ErrorFrame {
  type: 'error';
  code: string;
  message: string;
  temporary: boolean;
  field?: string;
  client_id?: string;
}

export type MessageFrame = Message & { type: 'message' };

/** What else happened in a room, for those who may see it and for whom it is about. */
export interface EventFrame {
  type: 'event';
  event: TimelineEvent;
}

/** The room as this person sees it from now on. */
export interface RoomFrame {
  type: 'room';
  room: Room;
}

export interface ReadFrame {
  type: 'read';
  conversation: ConversationId;
  position: Position;
}

/** The other one has read up to here; in a room, one of the others. */
export interface SeenFrame {
  type: 'seen';
  conversation: ConversationId;
  /** In rooms: who. */
  user?: UserId;
  position: Position;
}

/** What was written to the other one up to here has come to a device of theirs. */
export interface DeliveredFrame {
  type: 'delivered';
  conversation: ConversationId;
  position: Position;
}

/** Who of those that this page watches is here: all of them after `watch`, then whoever changes. */
export interface PresenceFrame {
  type: 'presence';
  users: readonly { user: UserId; state: Availability; last_seen?: string; status?: rest.Status | null }[];
}

/** Somebody else writes in a conversation that this page watches, or not any more. */
export interface TypingFrame {
  type: 'typing';
  conversation: ConversationId;
  user: UserId;
  on: boolean;
}

/** Of what one wants to be told, on whichever device it was chosen; neither of both: how far that is. */
export interface NotificationsFrame {
  type: 'notifications';
  revision: number;
  general?: General;
  conversation?: ConversationId;
  settings?: OfConversation;
}

export type ServerFrame =
  | Welcome
  | Accepted
  | Rejected
  | MessageFrame
  | EventFrame
  | ChangeFrame
  | ChangedFrame
  | RoomFrame
  | { type: 'cursor'; cursor: string }
  | { type: 'prefix'; client_id_prefix: string }
  | ReadFrame
  | SeenFrame
  | DeliveredFrame
  | PresenceFrame
  | TypingFrame
  | NotificationsFrame
  | Gap
  | ErrorFrame
  | { type: 'pong' };

const TYPES = new Set<string>([
  'welcome',
  'accepted',
  'rejected',
  'message',
  'event',
  'edited',
  'deleted',
  'reacted',
  'changed',
  'room',
  'cursor',
  'prefix',
  'read',
  'seen',
  'delivered',
  'presence',
  'typing',
  'notifications',
  'gap',
  'error',
  'pong',
] satisfies ServerFrame['type'][]);

export function readFrame(data: unknown): ServerFrame | null {
  if (typeof data !== 'string') return null;
  try {
    const frame = JSON.parse(data) as { type?: unknown } | null;
    return typeof frame?.type === 'string' && TYPES.has(frame.type) ? (frame as ServerFrame) : null;
  } catch {
    return null;
  }
}
