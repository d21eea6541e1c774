// The REST calls of protocol v1 that the page uses, one function each.
import { request } from './request';
import type {
  Conversation,
  ConversationId,
  ConversationPage,
  Credentials,
  MessagePage,
  PageOf,
  PasswordChange,
  People,
  Person,
  ProfileChange,
  Registration,
  SessionList,
  SignedIn,
  UserId,
} from './types';

export const api = {
  register: (form: Registration) => request<SignedIn>('register', { method: 'POST', body: form }),
  login: (form: Credentials) => request<SignedIn>('login', { method: 'POST', body: form }),
  logout: () => request<undefined>('logout', { method: 'POST' }),
  me: () => request<Person>('me'),
  changeProfile: (form: ProfileChange) => request<Person>('me', { method: 'PATCH', body: form }),
  changePassword: (form: PasswordChange) => request<SignedIn>('me/password', { method: 'PUT', body: form }),
  sessions: () => request<SessionList>('sessions'),
  endSession: (id: string) => request<undefined>(`sessions/${encodeURIComponent(id)}`, { method: 'DELETE' }),
  endOtherSessions: () => request<undefined>('sessions', { method: 'DELETE' }),

  searchPeople: (query: string, signal?: AbortSignal) =>
    request<People>(`users?${parameters({ query })}`, signal ? { signal } : {}),
  person: (id: UserId) => request<Person>(`users/${encodeURIComponent(id)}`),

  conversations: (page: { before?: string; limit?: number } = {}) =>
    request<ConversationPage>(`conversations?${parameters(page)}`),
  conversation: (id: ConversationId) => request<Conversation>(`conversations/${encodeURIComponent(id)}`),
  messages: (id: ConversationId, page: PageOf = {}) =>
    request<MessagePage>(`conversations/${encodeURIComponent(id)}/messages?${parameters(page)}`),
};

export type Api = typeof api;

function parameters(values: object): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined) search.set(name, String(value));
  return search.toString();
}
