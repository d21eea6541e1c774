// The bodies of REST under the names that the page uses. They are generated: `npm run types` makes
// `openapi.ts` from the server's own description, and a test fails when they differ.
import type { components, operations } from './openapi';

type Schemas = components['schemas'];

export type UserId = string;
export type ConversationId = string;
/** Orders the messages of one conversation; not comparable between conversations. */
export type Position = number;

export type Person = Schemas['Person'];
export type SignedIn = Schemas['SignedIn'];
export type Session = Schemas['Session'];
export type SessionList = Schemas['SessionList'];
export type People = Schemas['People'];
/**
 * Something that stands in a conversation. Kinds grow: what this page does not know of them yet may lack what
 * the known ones have.
 */
export type Message = Omit<Schemas['Message'], 'kind' | 'to' | 'body'> & {
  kind: string;
  /** Between two people: who it is for. */
  to?: UserId;
  body?: string;
  /** Not somebody's words, but what happened in the room. */
  event?: TimelineEvent;
};
export type MessagePage = Omit<Schemas['MessagePage'], 'messages'> & { messages: Message[] };
export type Accepted = Schemas['Accepted'];
export type Conversation = Omit<
  Schemas['Conversation'],
  'kind' | 'person' | 'other_last_read' | 'last_message' | 'room' | 'at'
> & {
  kind: string;
  /** The other one of a direct conversation, or oneself for notes to self. */
  person?: Person | null;
  room?: Room | null;
  other_last_read?: Position;
  last_message: Message | null;
  /** The list is in this order: the newest message, or when one came into the room. */
  at?: string;
};
export type ConversationPage = Omit<Schemas['ConversationPage'], 'conversations'> & {
  conversations: Conversation[];
};
export type Problem = Schemas['Problem'];

export type Registration = Schemas['Registration'];
export type Credentials = Schemas['Credentials'];
export type ProfileChange = Schemas['ProfileChange'];
export type PasswordChange = Schemas['PasswordChange'];

export type Role = 'owner' | 'moderator' | 'member';

/** What the people of a room decide about it. */
export interface RoomFields {
  /** In addresses and after `#`. */
  handle: string;
  title: string;
  topic: string;
  visibility: 'public' | 'private';
  /** What members see of the time before they came; never changed. */
  history: 'all' | 'since_join';
  posting: 'members' | 'moderators';
  archived: boolean;
}

export interface Room extends RoomFields {
  id: ConversationId;
  /** How many. */
  members: number;
  /** One's own; null for whoever is not in it. */
  role: Role | null;
  /** Oneself. */
  banned: boolean;
}

export interface Member {
  user: Person;
  role: Role;
  since: Position;
}

/** One event of a conversation, a message among them. */
export interface TimelineEvent extends Partial<RoomFields> {
  id: string;
  conversation: ConversationId;
  kind: string;
  actor: UserId;
  position: Position;
  at: string;
  client_id?: string;
  body?: string;
  to?: UserId;
  /** Whom it is about. */
  user?: UserId;
  users?: readonly UserId[];
  role?: Role;
  members?: readonly { user: UserId; role: Role }[];
}

export interface EventPage {
  events: TimelineEvent[];
  has_before: boolean;
  has_after: boolean;
  complete: boolean;
}

export interface RoomCreation {
  /** The same for every try. */
  client_id: string;
  handle: string;
  title: string;
  topic?: string;
  visibility?: RoomFields['visibility'];
  history?: RoomFields['history'];
  posting?: RoomFields['posting'];
  members?: UserId[];
}

export type RoomPatch = Partial<Omit<RoomFields, 'history'>>;

export interface RoomChanged {
  /** Null for whoever may not see it any more. */
  room: Room | null;
  position: Position;
}

/** A page of the public rooms. */
export interface RoomPage {
  rooms: Room[];
  next: string | null;
  complete: boolean;
}

export interface MemberPage {
  members: Member[];
  next: string | null;
  total: number;
  complete: boolean;
}

/** Which part of a history: at most one of the positions; none is the newest. */
export type PageOf = NonNullable<operations['history']['parameters']['query']>;
