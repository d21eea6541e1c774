// What a room is and who is in it, after the events that count. Who may do what, the server's fold decides
// (crates/timeline); here what it let through is carried out.
import type { Position, Role, RoomFields, UserId } from '@/lib/http/types';

export interface Member {
  role: Role;
  since: Position;
}

export interface Room {
  fields: Partial<RoomFields>;
  members: ReadonlyMap<UserId, Member>;
  banned: ReadonlySet<UserId>;
}

export type RoomEvent = { at: Position; by: UserId } & (
  | ({ kind: 'room_created' | 'room_state' } & Partial<RoomFields> & {
        members?: readonly { user: UserId; role: Role }[];
        banned?: readonly UserId[];
      })
  | ({ kind: 'room_changed' } & Partial<RoomFields>)
  | { kind: 'joined' | 'left' }
  | { kind: 'members_added'; users: readonly UserId[] }
  | { kind: 'removed' | 'banned' | 'unbanned'; user: UserId }
  | { kind: 'role_changed'; user: UserId; role: Role }
);

export const NO_ROOM: Room = { fields: {}, members: new Map(), banned: new Set() };

export function afterEvent(room: Room, event: RoomEvent): Room {
  const { at, by, kind } = event;
  const members = new Map(room.members);
  const banned = new Set(room.banned);
  const enter = (user: UserId, role: Role) => members.has(user) || members.set(user, { role, since: at });
  switch (kind) {
    case 'room_created':
    case 'room_state': {
      const { members: named = [], banned: kept = [], ...fields } = event;
      if (kind === 'room_created') members.set(by, { role: 'owner', since: at });
      for (const { user, role } of named) enter(user, role);
      for (const user of kept) banned.add(user);
      return { fields: { ...room.fields, ...fieldsOf(fields) }, members, banned };
    }
    case 'room_changed':
      return { ...room, fields: { ...room.fields, ...fieldsOf(event) } };
    case 'joined':
      enter(by, 'member');
      break;
    case 'members_added':
      // Of several, those who are kept away do not come.
      for (const user of event.users) if (!banned.has(user)) enter(user, 'member');
      break;
    case 'left':
      members.delete(by);
      break;
    case 'removed':
      members.delete(event.user);
      break;
    case 'banned':
      members.delete(event.user);
      banned.add(event.user);
      break;
    case 'unbanned':
      banned.delete(event.user);
      break;
    case 'role_changed':
      // A new role is a new interval of the membership.
      members.set(event.user, { role: event.role, since: at });
      break;
  }
  return { ...room, members, banned };
}

const FIELDS = ['handle', 'title', 'topic', 'visibility', 'history', 'posting', 'archived'] as const;

function fieldsOf(event: Partial<RoomFields>): Partial<RoomFields> {
  return Object.fromEntries(FIELDS.flatMap((field) => (field in event ? [[field, event[field]]] : [])));
}
