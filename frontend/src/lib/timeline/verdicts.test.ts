// The golden vectors once more, for what the page offers: at each line of a log it offers what the fold lets
// count, and not what the fold refuses, as far as the page can know. And what each person may see of the log
// is enough for the page to know whether they are in the room.
import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { mayCallEveryone } from '@/lib/chat/mentions';
import { rightsOn } from '@/lib/chat/message-rights';
import { isAbove, mayEnter, rightsIn } from '@/lib/chat/room-rights';
import type { Message, Role, Room as ToldRoom } from '@/lib/http/types';
import { initialState } from '@/lib/store/chat-state';
import { beginning } from '@/lib/store/conversation-entry';
import { welcome } from '@/testing/fake-socket';
import { room as roomWith } from '@/testing/rooms';

import { afterEvent, NO_ROOM } from './room';
import type { Room, RoomEvent } from './room';

interface Line {
  at: number;
  by: string;
  does: string;
  gives: string;
  to?: string;
  target?: number;
  id_of?: number;
  on?: boolean;
  everyone?: boolean;
  user?: string;
  users?: string[];
  crowd?: number;
  members?: Record<string, Role>;
  [field: string]: unknown;
}

interface Case {
  name: string;
  log: Line[];
  then: { sees?: Record<string, number[]>; members?: Record<string, string> };
}

const FOLDER = '../crates/timeline/vectors';
const cases = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) as Case[]);

const LIMITS = { ...welcome().limits, mentions_max: 50, everyone_free_members: 1_000 };
const DEFAULTS = {
  handle: 'letters', title: 'Letters', visibility: 'public', history: 'all', posting: 'members',
  archived: false,
} as const; // prettier-ignore
/** What only the server knows: how many owners there are, who blocks whom, what else stands in the log. */
const UNKNOWN = ['last_owner', 'full', 'blocked', 'no_room', 'stale_proof', 'too_many_reactions'];

function after(room: Room, line: Line): Room {
  const { does, members = {}, crowd, at, ...rest } = line;
  const kind = crowd === undefined ? does : 'members_added';
  const users = crowd === undefined ? {} : { users: Array.from({ length: crowd }, (_, n) => `crowd-${n}`) };
  const seats = Object.entries(members).map(([user, role]) => ({ user, role }));
  const fresh = does === 'room_created' || does === 'room_state' ? DEFAULTS : {};
  return afterEvent(room, { ...fresh, ...rest, ...users, at, kind, members: seats } as unknown as RoomEvent);
}

/** The room as somebody is told of it. */
function seenBy({ fields, members, banned }: Room, user: string): ToldRoom {
  const role = members.get(user)?.role ?? null;
  return roomWith({ ...DEFAULTS, ...fields, members: members.size, role, banned: banned.has(user) });
}

/** Whether the page of whoever does it offers it; null: it does not know such a thing. */
function offered(line: Line, room: Room, messages: ReadonlyMap<number, Message>): boolean | null {
  const { by, does, user = '', to } = line;
  const seen = to === undefined ? seenBy(room, by) : null;
  const rights = seen && rightsIn(seen);
  const theirs = room.members.get(user)?.role;
  switch (does) {
    case 'message':
      return !rights || (rights.write && (line.everyone !== true || callsEveryone(seen)));
    case 'edited':
    case 'deleted':
    case 'reacted':
    case 'pinned': {
      const message = messages.get(line.target ?? 0);
      // No page says that it means a message and names another.
      if (!message || line.id_of !== undefined) return false;
      const { edit, react, pin, delete: remove } = rightsOn(message, seen, by, LIMITS);
      return { edited: edit, reacted: react, pinned: pin, deleted: remove }[does];
    }
    case 'joined':
      return seen !== null && mayEnter(seen);
    case 'left':
      return seen !== null && seen.role !== null;
    case 'members_added':
      return rights?.add === true && !line.users?.every((one) => room.banned.has(one));
    case 'removed':
    case 'banned':
      if (does === 'banned' && !theirs) return null;
      return seen !== null && theirs !== undefined && user !== by && isAbove(seen.role, theirs);
    case 'unbanned':
      return rights?.moderate === true;
    case 'role_changed':
      return rights?.own === true && theirs !== undefined;
    case 'room_changed': {
      const own = ['handle', 'visibility', 'posting', 'archived'].some((field) => field in line);
      return own ? rights?.own === true : rights?.describe === true;
    }
    default:
      return null;
  }
}

function callsEveryone(room: ToldRoom | null): boolean {
  if (!room) return false;
  const entry = { ...beginning(room.id), kind: 'room' as const, room };
  const me = { id: 'me', username: 'me', display_name: 'Me' };
  return mayCallEveryone(
    { ...initialState(me), limits: LIMITS, conversations: { [room.id]: entry } },
    room.id,
  );
}

describe.each(cases)('$name', ({ name, log, then }) => {
  it('offers what counts, and not what the fold refuses', () => {
    let room = NO_ROOM;
    const messages = new Map<number, Message>();
    for (const line of log) {
      const [verdict, reason = ''] = line.gives.split(' ');
      const offers = verdict === 'repeat' || UNKNOWN.includes(reason) ? null : offered(line, room, messages);
      const seen = `${name}: ${line.does} by ${line.by} at ${line.at}`;
      if (offers !== null) expect(offers, seen).toBe(verdict === 'effective');
      if (verdict !== 'effective') continue;
      if (line.does === 'message') messages.set(line.at, messageOf(line));
      else if (line.does === 'deleted') deletes(messages, line);
      else if (line.to === undefined && !['edited', 'reacted', 'pinned'].includes(line.does))
        room = after(room, line);
    }
  });

  it('knows from what one may see whether one is in it', () => {
    for (const [person, sees] of Object.entries(then.sees ?? {})) {
      const seen = log.filter(({ at, gives }) => gives === 'effective' && sees.includes(at));
      expect(seen.length, person).toBe(sees.length);
      const changes = ['message', 'edited', 'deleted', 'reacted', 'pinned', 'blocked'];
      const room = seen.filter(({ does }) => !changes.includes(does)).reduce(after, NO_ROOM);
      const role = room.members.get(person)?.role;
      if (then.members) expect(role, person).toBe(then.members[person]?.split(' ')[0]);
    }
  });
});

const messageOf = ({ at, by }: Line): Message => ({
  id: `m${at}`,
  conversation: 'c',
  kind: 'room',
  sender: by,
  position: at,
  sent_at: new Date().toISOString(),
  body: 'words',
});

function deletes(messages: Map<number, Message>, { target = 0, at, by }: Line): void {
  const message = messages.get(target);
  if (message) messages.set(target, { ...message, body: '', deleted: { position: at, by } });
}
