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
/** Kinds grow: what this page does not know of them yet may lack what the known ones have. */
export type Message = Omit<Schemas['Message'], 'kind' | 'to' | 'body'> & {
  kind: string;
  /** Between two people: who it is for. */
  to?: UserId;
  body?: string;
};
export type MessagePage = Omit<Schemas['MessagePage'], 'messages'> & { messages: Message[] };
export type Accepted = Schemas['Accepted'];
export type Conversation = Omit<
  Schemas['Conversation'],
  'kind' | 'person' | 'other_last_read' | 'last_message'
> & {
  kind: string;
  /** The other one of a direct conversation, or oneself for notes to self. */
  person?: Person;
  other_last_read?: Position;
  /** What a room is called. */
  title?: string;
  last_message: Message | null;
};
export type ConversationPage = Omit<Schemas['ConversationPage'], 'conversations'> & {
  conversations: Conversation[];
};
export type Problem = Schemas['Problem'];

export type Registration = Schemas['Registration'];
export type Credentials = Schemas['Credentials'];
export type ProfileChange = Schemas['ProfileChange'];
export type PasswordChange = Schemas['PasswordChange'];

/** Which part of a history: at most one of the positions; none is the newest. */
export type PageOf = NonNullable<operations['history']['parameters']['query']>;
