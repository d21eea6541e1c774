// The REST calls of protocol v1 that the page uses, one function each.
import { request } from './request';
import type {
  Conversation,
  ConversationId,
  ConversationPage,
  MessagePage,
  PageOf,
  Person,
  SignedIn,
  UserId,
} from './types';

export interface Credentials {
  username: string;
  password: string;
}

export const api = {
  register: (form: Credentials & { display_name?: string }) =>
    request<SignedIn>('register', { method: 'POST', body: form }),
  login: (form: Credentials) => request<SignedIn>('login', { method: 'POST', body: form }),
  logout: () => request<undefined>('logout', { method: 'POST' }),
  me: () => request<Person>('me'),

  searchPeople: (query: string, signal?: AbortSignal) =>
    request<{ users: Person[] }>(`users?${parameters({ query })}`, signal ? { signal } : {}),
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
