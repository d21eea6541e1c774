// What happened in a room, as sentences. One row can tell of several: who comes and goes is told together.
import type { TimelineEvent, UserId } from '@/lib/http/types';

import { authorName } from './author-name';
import type { Names } from './author-name';
import { UNKNOWN_TEXT } from './message-text';

/** So many are told by name, then how many they are. */
const NAMED_MAX = 3;

const FOLDED = ['joined', 'left', 'members_added', 'removed'];

/** Those that stand one after the other are told in one line. */
export const foldsAway = ({ kind }: TimelineEvent): boolean => FOLDED.includes(kind);

/** All of them in one line. */
export function eventText(events: readonly TimelineEvent[], names: Names): string {
  const groups = new Map<string, TimelineEvent[]>();
  for (const event of events) {
    const key = groupOf(event);
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  return [...groups.values()].map((group) => sentence(group, names)).join(' · ');
}

/** What is told in one sentence: who came, who went, whom somebody added or removed. */
function groupOf({ kind, actor, id }: TimelineEvent): string {
  if (kind === 'joined' || kind === 'left') return kind;
  return kind === 'members_added' || kind === 'removed' ? `${kind} ${actor}` : id;
}

function sentence(group: readonly TimelineEvent[], names: Names): string {
  const [event] = group;
  if (!event) return '';
  const who = nameOf(event.actor, names);
  const { kind } = event;
  const about = [...new Set(group.flatMap(({ user, users }) => users ?? (user === undefined ? [] : [user])))];
  const whom = about.map((id) => nameOf(id, names, 'you'));
  switch (kind) {
    case 'joined':
    case 'left':
      return `${crowd(
        oneselfFirst(
          group.map(({ actor }) => actor),
          names,
        ),
      )} ${kind}`;
    case 'members_added':
      return `${who} added ${andOthers(whom)}`;
    case 'removed':
      return `${who} removed ${andOthers(whom)}`;
    case 'banned':
      return `${who} banned ${andOthers(whom)}`;
    case 'unbanned':
      return `${who} lifted the ban on ${andOthers(whom)}`;
    case 'role_changed':
      return `${who} made ${andOthers(whom)} ${ROLES[event.role ?? 'member']}`;
    case 'room_created':
      return `${who} created the room`;
    case 'pinned':
      return event.on === false ? `${who} unpinned a message` : `${who} pinned a message`;
    case 'room_changed':
      return `${who} ${listed(changes(event))}`;
    default:
      return UNKNOWN_TEXT;
  }
}

const ROLES = { owner: 'an owner', moderator: 'a moderator', member: 'a member' };

function nameOf(id: UserId, names: Names, self = 'You'): string {
  return id === names.me.id ? self : authorName(names, id);
}

/** Each once, by name: “You” begins the sentence. */
function oneselfFirst(people: readonly UserId[], names: Names): string[] {
  const { id: me } = names.me;
  const ids = new Set(people.includes(me) ? [me, ...people] : people);
  return [...ids].map((id) => nameOf(id, names));
}

function crowd(people: readonly string[]): string {
  return people.length > NAMED_MAX ? `${people.length} people` : listed(people);
}

function andOthers(people: readonly string[]): string {
  const [first = 'nobody', ...others] = people;
  if (others.length < NAMED_MAX) return listed(people.length === 0 ? [first] : people);
  return `${first} and ${others.length} others`;
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}

function changes(event: TimelineEvent): string[] {
  const { title, topic, handle, visibility, posting, archived } = event;
  const told = [
    title !== undefined && `named the room “${title}”`,
    topic !== undefined && (topic === '' ? 'took the topic away' : `set the topic to “${topic}”`),
    handle !== undefined && `changed the address to #${handle}`,
    visibility !== undefined && `made the room ${visibility}`,
    posting !== undefined &&
      (posting === 'members' ? 'let all members write' : 'let only moderators write from here on'),
    archived !== undefined && (archived ? 'archived the room' : 'opened the room again'),
  ].filter((part) => part !== false);
  return told.length === 0 ? ['changed the room'] : told;
}
