import { expect, it } from 'vitest';

import { anna, me } from '@/testing/builders';
import { event } from '@/testing/rooms';

import { eventText } from './event-text';

const person = (id: string) => ({ id, username: id, display_name: id.charAt(0).toUpperCase() + id.slice(1) });
const all = ['ben', 'clara', 'dan', 'eva'].map(person);
const names = { me, people: Object.fromEntries([me, anna, ...all].map((one) => [one.id, one])) };
const told = (...events: ReturnType<typeof event>[]) => eventText(events, names);

it.each([
  [event('joined', 1), 'Anna joined'],
  [event('left', 1, { actor: 'me' }), 'You left'],
  [event('members_added', 1, { users: ['ben'] }), 'Anna added Ben'],
  [event('members_added', 1, { users: ['ben', 'me'] }), 'Anna added Ben and you'],
  [event('members_added', 1, { users: ['ben', 'clara', 'dan', 'eva'] }), 'Anna added Ben and 3 others'],
  [event('removed', 1, { user: 'me' }), 'Anna removed you'],
  [event('banned', 1, { user: 'ben' }), 'Anna banned Ben'],
  [event('unbanned', 1, { user: 'ben' }), 'Anna lifted the ban on Ben'],
  [event('role_changed', 1, { user: 'ben', role: 'moderator' }), 'Anna made Ben a moderator'],
  [event('room_created', 1), 'Anna created the room'],
  [event('room_changed', 1, { title: 'Letters' }), 'Anna named the room “Letters”'],
  [event('room_changed', 1, { topic: '' }), 'Anna took the topic away'],
  [
    event('room_changed', 1, { visibility: 'private', archived: true }),
    'Anna made the room private and archived the room',
  ],
  [event('room_changed', 1), 'Anna changed the room'],
  [event('joined', 1, { actor: 'unknown' }), 'Somebody joined'],
  [event('sung', 1), 'Something that this page cannot show yet. Load it again to see it.'],
])('%o', (one, text) => {
  expect(told(one)).toBe(text);
});

it('tells those who come and go together, by name while they are few', () => {
  const joined = (actor: string, at: number) => event('joined', at, { actor });
  expect(told(joined('anna', 1), joined('ben', 2), joined('clara', 3))).toBe('Anna, Ben and Clara joined');
  expect(told(joined('anna', 1), joined('me', 2))).toBe('You and Anna joined');
  const crowd = ['anna', 'ben', 'clara', 'dan', 'ben'].map(joined);
  expect(told(...crowd, event('left', 9, { actor: 'ben' }))).toBe('4 people joined · Ben left');
  expect(told(event('removed', 1, { user: 'ben' }), event('removed', 2, { user: 'dan' }))).toBe(
    'Anna removed Ben and Dan',
  );
});
