// The rows of docs/PROTOCOL.md as TypeScript, written by hand until they are generated from /openapi.json: everything
// else imports them from here, so that only this file changes then.

export type UserId = string;
export type ConversationId = string;
/** Orders the messages of one conversation; not comparable between conversations. */
export type Position = number;

export interface Person {
  id: UserId;
  username: string;
  display_name: string;
}

export interface Message {
  id: string;
  conversation: ConversationId;
  kind: 'direct';
  sender: UserId;
  to: UserId;
  position: Position;
  /** RFC 3339, UTC, milliseconds. */
  sent_at: string;
  body: string;
  /** Only to its sender. */
  client_id?: string;
}

export interface Conversation {
  id: ConversationId;
  kind: 'direct';
  /** The other one, or oneself for notes to self. */
  person: Person;
  last_message: Message | null;
  last_position: Position;
  last_read: Position;
  /** Up to where the other one has read. */
  other_last_read: Position;
  /** Messages of others after `last_read`, counted up to 1,000. */
  unread: number;
}

export interface SignedIn {
  user: Person;
  expires_at: string;
}

export interface ConversationPage {
  conversations: Conversation[];
  next: string | null;
  complete: boolean;
}

export interface MessagePage {
  /** Oldest first. */
  messages: Message[];
  has_before: boolean;
  has_after: boolean;
  /** False: the server cannot prove that nothing accepted is missing; ask again later. */
  complete: boolean;
}

/** Which part of a history: at most one of the positions; none is the newest. */
export interface PageOf {
  before?: Position;
  after?: Position;
  around?: Position;
  limit?: number;
}

/** `application/problem+json`, RFC 9457. */
export interface Problem {
  status: number;
  title: string;
  detail?: string;
  code: string;
  field?: string;
  retry_after_ms?: number;
}
