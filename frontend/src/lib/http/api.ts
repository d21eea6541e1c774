// The REST calls of protocol v1 that the page uses, one function each.
import type { General, OfConversation } from '@/lib/tell/settings';

import { request } from './request';
import type {
  ChangePage,
  Conversation,
  ConversationId,
  ConversationNotifications,
  ConversationPage,
  Credentials,
  EditList,
  EventPage,
  Me,
  MemberPage,
  MentionPage,
  MessagePage,
  NewStatus,
  NewSubscription,
  Notifications,
  OwnStatus,
  PageOf,
  PasswordChange,
  People,
  Person,
  PinPage,
  Position,
  PresenceSettings,
  ProfileChange,
  PushDevice,
  PushSettings,
  ReactorPage,
  ReaderList,
  Registration,
  Role,
  Room,
  RoomChanged,
  RoomCreation,
  RoomPage,
  RoomPatch,
  SessionList,
  SignedIn,
  UserId,
} from './types';

export const api = {
  register: (form: Registration) => request<SignedIn>('register', { method: 'POST', body: form }),
  login: (form: Credentials) => request<SignedIn>('login', { method: 'POST', body: form }),
  logout: () => request<undefined>('logout', { method: 'POST' }),
  me: () => request<Me>('me'),
  changeProfile: (form: ProfileChange) => request<Me>('me', { method: 'PATCH', body: form }),
  changePassword: (form: PasswordChange) => request<SignedIn>('me/password', { method: 'PUT', body: form }),
  presence: () => request<PresenceSettings>('me/presence'),
  changePresence: (change: Partial<PresenceSettings>) =>
    request<PresenceSettings>('me/presence', { method: 'PATCH', body: change }),
  notifications: () => request<Notifications>('me/notifications'),
  changeNotifications: (change: Partial<General>) =>
    request<Notifications>('me/notifications', { method: 'PATCH', body: change }),
  /** All of them: what is left out is as if nothing had been said. */
  setConversationNotifications: (id: ConversationId, settings: Partial<OfConversation>) =>
    request<ConversationNotifications>(`conversations/${encodeURIComponent(id)}/notifications`, {
      method: 'PUT',
      body: settings,
    }),
  status: () => request<OwnStatus>('me/status'),
  setStatus: (status: NewStatus) => request<OwnStatus>('me/status', { method: 'PUT', body: status }),
  clearStatus: () => request<undefined>('me/status', { method: 'DELETE' }),
  push: () => request<PushSettings>('me/push'),
  /** Again: its words and its session are replaced. */
  subscribePush: (form: NewSubscription) =>
    request<PushDevice>('me/push/subscriptions', { method: 'POST', body: form }),
  unsubscribePush: (id: string) =>
    request<undefined>(`me/push/subscriptions/${encodeURIComponent(id)}`, { method: 'DELETE' }),
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
  /** Messages, and what else happened. */
  events: (id: ConversationId, page: PageOf = {}) =>
    request<EventPage>(`conversations/${encodeURIComponent(id)}/events?${parameters(page)}`),
  /** Those at these positions, deleted ones too. */
  messagesAt: (id: ConversationId, at: readonly Position[]) =>
    request<MessagePage>(`conversations/${encodeURIComponent(id)}/messages?at=${at.join(',')}`),
  /** Messages that changed after this position. */
  changes: (id: ConversationId, page: { changed_after: Position; limit?: number }) =>
    request<ChangePage>(`conversations/${encodeURIComponent(id)}/changes?${parameters(page)}`),
  pins: (id: ConversationId) => request<PinPage>(`conversations/${encodeURIComponent(id)}/pins`),
  /** Who reacted. */
  reactors: (
    id: ConversationId,
    at: Position,
    page: { emoji?: string; after?: string; limit?: number } = {},
    signal?: AbortSignal,
  ) => request<ReactorPage>(`${messagePath(id, at)}/reactions?${parameters(page)}`, signal ? { signal } : {}),
  /** What it said before it was edited; only where the server keeps that. */
  edits: (id: ConversationId, at: Position, page: { before?: Position } = {}) =>
    request<EditList>(`${messagePath(id, at)}/edits?${parameters(page)}`),
  /** Who has read it. */
  readers: (id: ConversationId, at: Position) => request<ReaderList>(`${messagePath(id, at)}/readers`),
  /** Across conversations. */
  mentions: (page: { before?: string; limit?: number } = {}) =>
    request<MentionPage>(`mentions?${parameters(page)}`),

  createRoom: (form: RoomCreation) => request<RoomChanged>('rooms', { method: 'POST', body: form }),
  publicRooms: (page: { q?: string; before?: string; limit?: number } = {}, signal?: AbortSignal) =>
    request<RoomPage>(`rooms?${parameters(page)}`, signal ? { signal } : {}),
  room: (id: ConversationId) => request<Room>(roomPath(id)),
  roomByHandle: (handle: string) => request<Room>(`rooms/by-handle/${encodeURIComponent(handle)}`),
  changeRoom: (id: ConversationId, patch: RoomPatch) =>
    request<RoomChanged>(roomPath(id), { method: 'PATCH', body: patch }),
  joinRoom: (id: ConversationId) => request<RoomChanged>(roomPath(id, 'join'), { method: 'POST' }),
  leaveRoom: (id: ConversationId) => request<RoomChanged>(roomPath(id, 'leave'), { method: 'POST' }),
  members: (
    id: ConversationId,
    page: { q?: string; after?: string; limit?: number } = {},
    signal?: AbortSignal,
  ) => request<MemberPage>(`${roomPath(id, 'members')}?${parameters(page)}`, signal ? { signal } : {}),
  addMembers: (id: ConversationId, users: UserId[]) =>
    request<RoomChanged>(roomPath(id, 'members'), { method: 'POST', body: { users } }),
  removeMember: (id: ConversationId, user: UserId) =>
    request<RoomChanged>(roomPath(id, 'members', user), { method: 'DELETE' }),
  changeRole: (id: ConversationId, user: UserId, role: Role) =>
    request<RoomChanged>(roomPath(id, 'members', user), { method: 'PUT', body: { role } }),
  bans: (id: ConversationId) => request<People>(roomPath(id, 'bans')),
  ban: (id: ConversationId, user: UserId) =>
    request<RoomChanged>(roomPath(id, 'bans', user), { method: 'PUT' }),
  unban: (id: ConversationId, user: UserId) =>
    request<RoomChanged>(roomPath(id, 'bans', user), { method: 'DELETE' }),
};

const messagePath = (id: ConversationId, at: Position) =>
  `conversations/${encodeURIComponent(id)}/messages/${at}`;

const roomPath = (...parts: string[]) => ['rooms', ...parts.map(encodeURIComponent)].join('/');

export type Api = typeof api;

function parameters(values: object): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    if (value !== undefined) search.set(name, String(value));
  return search.toString();
}
