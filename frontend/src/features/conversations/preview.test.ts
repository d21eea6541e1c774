import { expect, it } from 'vitest';

import { itemOf } from '@/lib/timeline/event';
import { message } from '@/testing/builders';
import { event, mine, said } from '@/testing/rooms';

import { previewOf } from './preview';

const ofBody = (body: string) => previewOf({ last_message: message(1, { body }) }, 'me', '', []);

it.each([
  ['**bold** and _leaning_ ~~gone~~ `code`', 'bold and leaning gone code'],
  ['> said\n- one\n- two', 'said • one • two'],
  ['```rust\nfn main() {}\n```', 'fn main() {}'],
  ['2 * 3 * 4 = 24, snake_case_name, >_<', '2 * 3 * 4 = 24, snake_case_name, >_<'],
  ['~~~Pleaseeee', '~~~Pleaseeee'],
  ['```', '```'],
  // What the line has no room for does not turn marks into text, and blanks do not push the words out of it.
  [`**${'long '.repeat(80)}!**`, `${'long '.repeat(32).slice(0, 159).trimEnd()}…`],
  [`${'\n'.repeat(3_000)}a`, 'a'],
])('%j becomes %j', (body, text) => {
  expect(ofBody(body)).toEqual({ kind: 'theirs', text });
});

it('says in a room who wrote, or what happened while nobody has written', () => {
  const last_event = itemOf(event('joined', 4));
  const of = (change: object) => previewOf({ kind: 'room', last_message: null, ...change }, 'me', '', []);
  expect(of({ last_message: itemOf(said(3)), last_event })).toEqual({
    kind: 'author',
    author: 'anna',
    text: 'text 3',
  });
  expect(of({ last_message: itemOf(said(3, mine)) })).toEqual({ kind: 'mine', text: 'text 3' });
  expect(of({ last_event })).toEqual({ kind: 'event', event: last_event.event });
  expect(of({})).toEqual({ kind: 'empty', text: '' });
});

it('says between two people that the newest was deleted, which the server does not tell', () => {
  const of = (last_position: number) =>
    previewOf({ kind: 'direct', last_message: null, last_position }, 'me', '', []);
  expect(of(7)).toEqual({ kind: 'theirs', text: 'This message was deleted.' });
  expect(of(0)).toEqual({ kind: 'empty', text: '' });
});
