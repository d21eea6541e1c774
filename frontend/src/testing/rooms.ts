// A room and what happens in it, for tests.
import type { Conversation, Room, TimelineEvent } from '@/lib/http/types';

import { anna, conversation, me } from './builders';

export const room = (change: Partial<Room> = {}): Room => ({
  id: 'r',
  handle: 'general',
  title: 'General',
  topic: '',
  visibility: 'public',
  history: 'all',
  posting: 'members',
  archived: false,
  members: 3,
  role: 'member',
  banned: false,
  ...change,
});

/** The room in the list. */
export const roomConversation = (
  change: Partial<Conversation> = {},
  fields: Partial<Room> = {},
): Conversation =>
  conversation({
    id: 'r',
    kind: 'room',
    person: null,
    room: room(fields),
    at: '2026-11-21T08:00:00Z',
    ...change,
  });

export const event = (
  kind: string,
  position: number,
  change: Partial<TimelineEvent> = {},
): TimelineEvent => ({
  id: `e${position}`,
  conversation: 'r',
  kind,
  actor: anna.id,
  position,
  at: new Date(Date.UTC(2026, 10, 21, 9, 0, position)).toISOString(),
  ...change,
});

/** Somebody's words in the room. */
export const said = (position: number, change: Partial<TimelineEvent> = {}): TimelineEvent =>
  event('message', position, { body: `text ${position}`, ...change });

export const mine = { actor: me.id };
