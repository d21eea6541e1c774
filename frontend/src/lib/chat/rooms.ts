// What one does with rooms. Each action is told to the server, and what the server makes of it is in the
// store when its promise resolves; the frames that tell the same change nothing then. Rejects with an
// ApiError.
import type { StoreApi } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import type {
  ConversationId,
  Member,
  MemberPage,
  Person,
  Role,
  Room,
  RoomChanged,
  RoomCreation,
  RoomPatch,
  UserId,
} from '@/lib/http/types';
import { randomId } from '@/lib/outbox/random-id';
import type { ChatState } from '@/lib/store/chat-state';
import { applyEvents, withOwnRoom } from '@/lib/store/events';

import type { Names } from './names';

const MEMBERS_PAGE = 50;

export class Rooms {
  readonly #store: StoreApi<ChatState>;
  readonly #api: Api;
  readonly #names: Names;

  constructor(store: StoreApi<ChatState>, api: Api, names: Names) {
    this.#store = store;
    this.#api = api;
    this.#names = names;
  }

  /** For one creation: it makes one room, however often it is sent. */
  readonly newCreationId = (): string => randomId();

  async create(form: RoomCreation): Promise<Room> {
    return this.#entered(await this.#api.createRoom(form));
  }

  async join(id: ConversationId): Promise<Room> {
    return this.#entered(await this.#api.joinRoom(id));
  }

  leave(id: ConversationId): Promise<Room> {
    return this.#changed(this.#api.leaveRoom(id));
  }

  change(id: ConversationId, patch: RoomPatch): Promise<Room> {
    return this.#changed(this.#api.changeRoom(id, patch));
  }

  add(id: ConversationId, users: UserId[]): Promise<Room> {
    return this.#changed(this.#api.addMembers(id, users));
  }

  remove(id: ConversationId, user: UserId): Promise<Room> {
    return this.#changed(this.#api.removeMember(id, user));
  }

  setRole(id: ConversationId, user: UserId, role: Role): Promise<Room> {
    return this.#changed(this.#api.changeRole(id, user, role));
  }

  ban(id: ConversationId, user: UserId): Promise<Room> {
    return this.#changed(this.#api.ban(id, user));
  }

  unban(id: ConversationId, user: UserId): Promise<Room> {
    return this.#changed(this.#api.unban(id, user));
  }

  async members(
    id: ConversationId,
    page: { q?: string; after?: string } = {},
    signal?: AbortSignal,
  ): Promise<MemberPage> {
    const answer = await this.#api.members(id, { ...page, limit: MEMBERS_PAGE }, signal);
    this.#names.told(answer.members.map(({ user }: Member) => user));
    return answer;
  }

  async bans(id: ConversationId): Promise<Person[]> {
    const { users } = await this.#api.bans(id);
    this.#names.told(users);
    return users;
  }

  async #changed(answer: Promise<RoomChanged>): Promise<Room> {
    const { room } = await answer;
    this.#store.setState((state) => applyEvents(state, [{ kind: 'room', room, atMs: Date.now() }]));
    return room;
  }

  #entered({ room }: RoomChanged): Room {
    this.#store.setState((state) => withOwnRoom(state, room, Date.now()));
    return room;
  }
}
