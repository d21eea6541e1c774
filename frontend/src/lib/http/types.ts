// The bodies of REST under the names that the page uses. They are generated: `npm run types` makes
// `openapi.ts` from the server's own description, and a test fails when they differ.
import type { General, OfConversation } from '@/lib/tell/settings';
import type { Changeable } from '@/lib/timeline/change';

import type { components, operations } from './openapi';

type Schemas = components['schemas'];

export type UserId = string;
export type ConversationId = string;
/** Orders the messages of one conversation; not comparable between conversations. */
export type Position = number;

export type Person = Schemas['Person'];
/** Whether somebody is here; `away`: nobody sits before any of their clients. */
export type Availability = 'online' | 'away' | 'offline';
/** Who may see whether one is here, and whether one is to be taken for offline by everybody. */
export type PresenceSettings = Omit<Schemas['PresenceSettings'], 'audience'> & { audience: Audience };
/** Of what one wants to be told; `revision` counts the changes. */
export type Notifications = General & {
  revision: number;
  /** Those with settings of their own. */
  conversations: readonly ({ conversation: ConversationId } & OfConversation)[];
};
export type ConversationNotifications = OfConversation & { revision: number };
export type Audience = 'everybody' | 'shared' | 'nobody';
/** Oneself. */
export type Me = Person & {
  /** Others see what one has read; absent where the server tells nobody. */
  show_receipts?: boolean;
};
export type SignedIn = Schemas['SignedIn'];
export type Session = Schemas['Session'];
export type SessionList = Schemas['SessionList'];
export type Status = Schemas['Status'];
export type OwnStatus = Schemas['OwnStatus'];
export type NewStatus = Schemas['NewStatus'];
export type PushSettings = Schemas['PushSettings'];
export type PushDevice = Schemas['PushSubscription'];
export type NewSubscription = Schemas['NewSubscription'];
export type People = Schemas['People'];
/**
 * Something that stands in a conversation. Kinds grow: what this page does not know of them yet may lack what
 * the known ones have.
 */
export type Message = Omit<Schemas['Message'], 'kind' | 'to' | 'body' | keyof Told> & {
  kind: string;
  /** Between two people: who it is for. */
  to?: UserId;
  body?: string;
  /** Not somebody's words, but what happened in the room. */
  event?: TimelineEvent;
  /** What one did with it here is in it, and not accepted yet. */
  waiting?: true;
} & Told;

/** What is said with a message, and was said of it later. */
export interface Told extends Omit<Changeable, 'position' | 'body'> {
  /** What it answers. */
  reply_to?: Target;
  everyone?: boolean;
}

/** An earlier message of the same conversation. */
export interface Target {
  position: Position;
  id: string;
}
export type MessagePage = Omit<Schemas['MessagePage'], 'messages'> & { messages: Message[] };
export type Accepted = Schemas['Accepted'];
export type Conversation = Omit<
  Schemas['Conversation'],
  'kind' | 'person' | 'other_last_read' | 'last_message' | 'room' | 'at' | 'mentions'
> & {
  kind: string;
  /** The other one of a direct conversation, or oneself for notes to self. */
  person?: Person | null;
  room?: Room | null;
  other_last_read?: Position;
  last_message: Message | null;
  /** Unread messages that name this person. */
  mentions?: number;
  /** The list is in this order: the newest message, or when one came into the room. */
  at?: string;
};
export type ConversationPage = Omit<Schemas['ConversationPage'], 'conversations'> & {
  conversations: Conversation[];
};
export type Problem = Schemas['Problem'];

export type Registration = Schemas['Registration'];
export type Credentials = Schemas['Credentials'];
export type ProfileChange = Partial<Schemas['ProfileChange']> & { show_receipts?: boolean };
export type PasswordChange = Schemas['PasswordChange'];

export type Role = Schemas['Role'];
export type Room = Schemas['Room'];
/** What the people of a room decide about it. */
export type RoomFields = Omit<Room, 'id' | 'members' | 'role' | 'banned'>;
export type RoomCreation = Schemas['NewRoom'];
export type RoomPatch = Schemas['RoomUpdate'];
export type RoomChanged = Schemas['RoomChanged'];
export type RoomPage = Schemas['RoomList'];
export type Member = Schemas['Member'];
export type MemberPage = Schemas['MemberList'];

/** One event of a conversation, a message among them; of a kind that this page does not know, what it has. */
export interface TimelineEvent extends Partial<RoomFields>, Told {
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
  /** The message that was pinned, or not any more. */
  target?: Target;
  on?: boolean;
  members?: readonly { user: UserId; role: Role }[];
}

export interface EventPage {
  events: TimelineEvent[];
  has_before: boolean;
  has_after: boolean;
  complete: boolean;
}

/** What changed later, by when it was changed last; `next`: where to go on. */
export interface ChangePage {
  messages: Message[];
  next: Position | null;
  complete: boolean;
}

export interface PinPage {
  messages: Message[];
  complete: boolean;
}

/** Who put one emoji to a message, one each. */
export interface ReactorPage {
  reactions: { user: UserId; emoji: string; position: Position }[];
  /** Where to go on. */
  next: string | null;
  complete: boolean;
}

/** What names this person, in all conversations, newest first. */
export interface MentionPage {
  messages: Message[];
  next: string | null;
  complete: boolean;
}

/** What a message said before, oldest first. */
export interface EditList {
  edits: { position: Position; at: string; body: string }[];
  has_before?: boolean;
}

/** Who has read a message; `at`: since when, as far as the server knows. */
export interface ReaderList {
  readers: { user: UserId; at?: string }[];
  complete: boolean;
}

/** Which part of a history: at most one of the positions; none is the newest. */
export type PageOf = NonNullable<operations['history']['parameters']['query']>;
