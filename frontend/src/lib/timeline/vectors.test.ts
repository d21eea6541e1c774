// The golden vectors of the fold, which the server's own runs, too: what counts of each log makes the same
// room, the same number of messages and the same words here as there, in however many pieces it comes.
import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import type { Role } from '@/lib/http/types';

import { withChanges } from './change';
import type { Change, Changeable } from './change';
import { afterEvent, NO_ROOM } from './room';
import type { Room, RoomEvent } from './room';

type Line = { at: number; by: string; gives: string; crowd?: number } & Record<string, unknown>;
interface Case {
  name: string;
  log: Line[];
  then: {
    members?: Record<string, string>;
    seq?: number;
    banned?: string[];
    room?: Record<string, unknown>;
  };
}

const ME = 'ann';
const FOLDER = '../crates/timeline/vectors';
const cases = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .flatMap((name) => JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) as Case[]);

const PATCHES = ['edited', 'deleted', 'reacted', 'pinned'];
/** Rooms are created so unless a line says otherwise (vectors/README.md). */
const DEFAULTS = {
  handle: 'letters', title: 'Letters', visibility: 'public', history: 'all', posting: 'members',
  archived: false,
}; // prettier-ignore

/** A line as the events that it stands for. */
function eventsOf(line: Line): Line[] {
  if (line.crowd === undefined) return [line];
  const people = Array.from({ length: line.crowd }, (_, n) => `crowd-${n}`);
  return Array.from({ length: Math.ceil(people.length / 500) }, (_, n) => {
    const users = people.slice(n * 500, (n + 1) * 500);
    return { at: line.at + n, by: line.by, gives: line.gives, does: 'members_added', users };
  });
}

function changeOf({ does, at, by, target, ...rest }: Line): Change {
  return { ...rest, kind: does, at, by, target } as unknown as Change;
}

function roomEventOf({ does, members, ...rest }: Line): RoomEvent {
  const named = Object.entries((members ?? {}) as Record<string, Role>);
  const fresh = does === 'room_created' || does === 'room_state' ? DEFAULTS : {};
  const seats = named.map(([user, role]) => ({ user, role }));
  return { ...fresh, ...rest, kind: does, members: seats } as unknown as RoomEvent;
}

interface Shown extends Changeable {
  sender: string;
}

function play({ log }: Case) {
  const messages: Shown[] = [];
  const changes: Change[] = [];
  let room: Room = NO_ROOM;
  let seq = 0;
  for (const line of log.flatMap(eventsOf)) {
    if (line.gives !== 'effective') continue;
    if (line.does === 'message') {
      messages.push({ position: line.at, sender: line.by, body: line.body as string });
      seq += 1;
    } else if (PATCHES.includes(line.does as string)) changes.push(changeOf(line));
    else if (line.does !== 'blocked') {
      if (line.does === 'room_state') seq = line.last_seq as number;
      room = afterEvent(room, roomEventOf(line));
    }
  }
  return { messages, changes, room, seq };
}

it('are all there', () => expect(cases.length).toBeGreaterThan(20));

describe.each(cases)('$name', (one) => {
  const { messages, changes, room, seq } = play(one);

  it('has the same messages and the same room', () => {
    const { then } = one;
    if (then.seq !== undefined) expect(seq).toBe(then.seq);
    if (then.members !== undefined)
      expect(
        Object.fromEntries(
          [...room.members].map(([user, { role, since }]) => [user, `${role} since ${since}`]),
        ),
      ).toEqual(then.members);
    if (then.banned !== undefined) expect([...room.banned].sort()).toEqual([...then.banned].sort());
    if (then.room !== undefined) expect(room.fields).toMatchObject(then.room);
  });

  it('shows the last words of each message, and none of a deleted one', () => {
    for (const { position, body } of withChanges(messages, changes, ME)) {
      const own = changes.filter(({ target }) => target === position);
      const deleted = own.some(({ kind }) => kind === 'deleted');
      const edit = own.flatMap((change) => (change.kind === 'edited' ? [change.body] : [])).at(-1);
      const before = messages.find((message) => message.position === position)?.body;
      expect(body).toBe(deleted ? '' : (edit ?? before));
    }
  });

  it('is the same whatever comes twice, late, or in another order', () => {
    const seen = (list: readonly Shown[]) =>
      list.map(({ live: _, changed: __, edited: ___, ...message }) => ({
        ...message,
        reactions: (message.reactions ?? []).map(({ emoji, count }) => `${count} ${emoji}`).sort(),
      }));
    const all = seen(withChanges(messages, changes, ME));
    expect(seen(withChanges(messages, [...changes, ...changes], ME))).toEqual(all);
    expect(seen(withChanges(messages, changes.toReversed(), ME))).toEqual(all);
    // A page that the server made in the middle of it, and then the rest, with an overlap.
    const half = changes.slice(0, changes.length >> 1);
    const upTo = half.at(-1)?.at ?? 0;
    const told = withChanges(messages, half, ME).map(({ live: _, ...message }) => ({
      ...message,
      ...(upTo > message.position ? { changed: upTo } : {}),
    }));
    expect(seen(withChanges(told, changes, ME))).toEqual(all);
  });

  it('leaves alone what is not in the window', () => {
    expect(withChanges([], changes, ME)).toEqual([]);
    const again = withChanges(messages, changes, ME);
    expect(withChanges(again, changes, ME)).toBe(again);
  });
});
