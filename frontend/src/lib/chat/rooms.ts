// What one does with rooms. Each action is told to the server, and what the server makes of it is in the
// store when its promise resolves; the frames that tell the same change nothing then. Rejects with an
// ApiError.
import type { StoreApi } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import { ApiError } from '@/lib/http/api-error';
import type {
  ConversationId,
  Member,
  MemberPage,
  Person,
  Role,
  Room,
  RoomChanged,
  RoomCreation,
  RoomPage,
  RoomPatch,
  UserId,
} from '@/lib/http/types';
import { randomId } from '@/lib/outbox/random-id';
import type { ChatState } from '@/lib/store/chat-state';
import { applyEvents, withOwnRoom } from '@/lib/store/events';

import type { ConversationLoader } from './conversation-loader';
import type { Names } from './names';

/** So many are told at once, where nobody asks for another number. */
export const MEMBERS_PAGE = 50;
const ROOMS_PAGE = 50;
/** Whether more than these are in a large room nobody asks. */
const ASKED_MAX = 10;
/** Those whose names begin with somebody's username: few, and themselves among the first. */
const SAME_NAME_MAX = 20;

const isAmong = (members: readonly Member[], { id }: Person): boolean =>
  members.some(({ user }) => user.id === id);

export class Rooms {
  readonly #store: StoreApi<ChatState>;
  readonly #api: Api;
  readonly #names: Names;
  readonly #conversations: ConversationLoader;

  constructor(store: StoreApi<ChatState>, api: Api, names: Names, conversations: ConversationLoader) {
    this.#store = store;
    this.#api = api;
    this.#names = names;
    this.#conversations = conversations;
  }

  /** For one creation: it makes one room, however often it is sent. */
  readonly newCreationId = (): string => randomId();

  /** Gives back which room it is. */
  create(form: RoomCreation): Promise<ConversationId> {
    return this.#entered(this.#api.createRoom(form));
  }

  join(id: ConversationId): Promise<ConversationId> {
    return this.#entered(this.#api.joinRoom(id));
  }

  leave(id: ConversationId): Promise<void> {
    return this.#changed(id, this.#api.leaveRoom(id));
  }

  change(id: ConversationId, patch: RoomPatch): Promise<void> {
    return this.#changed(id, this.#api.changeRoom(id, patch));
  }

  add(id: ConversationId, users: UserId[]): Promise<void> {
    return this.#changed(id, this.#api.addMembers(id, users));
  }

  remove(id: ConversationId, user: UserId): Promise<void> {
    return this.#changed(id, this.#api.removeMember(id, user));
  }

  setRole(id: ConversationId, user: UserId, role: Role): Promise<void> {
    return this.#changed(id, this.#api.changeRole(id, user, role));
  }

  ban(id: ConversationId, user: UserId): Promise<void> {
    return this.#changed(id, this.#api.ban(id, user));
  }

  unban(id: ConversationId, user: UserId): Promise<void> {
    return this.#changed(id, this.#api.unban(id, user));
  }

  /** Public rooms, those with the most members first. */
  directory(page: { q?: string; before?: string } = {}, signal?: AbortSignal): Promise<RoomPage> {
    return this.#api.publicRooms({ ...page, limit: ROOMS_PAGE }, signal);
  }

  /** As one sees it from outside. */
  byId(id: ConversationId): Promise<Room> {
    return this.#api.room(id);
  }

  /**
   * How a room that one is no longer in looks from outside, where nobody was told: whether one may come back.
   */
  async look(id: ConversationId): Promise<void> {
    const askedAt = Date.now();
    const answer = await this.#api.room(id).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 'unknown_conversation') return 'hidden' as const;
      return null;
    });
    const known = this.#store.getState().conversations[id];
    if (!answer || !known?.room || known.room_at_ms > askedAt) return;
    const room = answer === 'hidden' ? { ...known.room, visibility: 'private' as const } : answer;
    this.#store.setState((state) => applyEvents(state, [{ kind: 'room', room, atMs: askedAt }]));
  }

  byHandle(handle: string): Promise<Room> {
    return this.#api.roomByHandle(handle);
  }

  async members(
    id: ConversationId,
    page: { q?: string; after?: string; limit?: number } = {},
    signal?: AbortSignal,
  ): Promise<MemberPage> {
    const answer = await this.#api.members(id, { limit: MEMBERS_PAGE, ...page }, signal);
    this.#names.told(answer.members.map(({ user }: Member) => user));
    return answer;
  }

  /** Of these, whom the page knows by name, those who are not in the room. */
  async absent(id: ConversationId, users: readonly UserId[]): Promise<UserId[]> {
    const { people, me, conversations } = this.#store.getState();
    const asked = [...new Set(users)].flatMap((user) => (user === me.id ? [] : (people[user] ?? [])));
    if (asked.length === 0) return [];
    if ((conversations[id]?.room?.members ?? Infinity) <= MEMBERS_PAGE) {
      const { members, next } = await this.members(id);
      if (next === null) return asked.filter((one) => !isAmong(members, one)).map((one) => one.id);
    }
    const absent: UserId[] = [];
    // One after the other: so few are named that nobody waits for it.
    for (const person of asked.slice(0, ASKED_MAX)) {
      const { members } = await this.members(id, { q: person.username, limit: SAME_NAME_MAX });
      if (!isAmong(members, person) && members.length < SAME_NAME_MAX) absent.push(person.id);
    }
    return absent;
  }

  async bans(id: ConversationId): Promise<Person[]> {
    const { users } = await this.#api.bans(id);
    this.#names.told(users);
    return users;
  }

  async #changed(id: ConversationId, answer: Promise<RoomChanged>): Promise<void> {
    const { room } = await answer;
    const known = this.#store.getState().conversations[id]?.room;
    const now = room ?? (known ? { ...known, role: null } : null);
    if (now)
      this.#store.setState((state) => applyEvents(state, [{ kind: 'room', room: now, atMs: Date.now() }]));
  }

  async #entered(answer: Promise<RoomChanged>): Promise<ConversationId> {
    const { room } = await answer;
    if (!room) throw new ApiError({ status: 403, code: 'not_member' });
    this.#store.setState((state) => withOwnRoom(state, room, Date.now()));
    // What was said there before, the server knows.
    void this.#conversations.one(room.id).catch(() => undefined);
    return room.id;
  }
}
