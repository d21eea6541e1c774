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
export type Message = Schemas['Message'];
export type MessagePage = Schemas['MessagePage'];
export type Accepted = Schemas['Accepted'];
export type Conversation = Schemas['Conversation'];
export type ConversationPage = Schemas['ConversationPage'];
export type Problem = Schemas['Problem'];

export type Registration = Schemas['Registration'];
export type Credentials = Schemas['Credentials'];
export type ProfileChange = Schemas['ProfileChange'];
export type PasswordChange = Schemas['PasswordChange'];

/** Which part of a history: at most one of the positions; none is the newest. */
export type PageOf = NonNullable<operations['history']['parameters']['query']>;
