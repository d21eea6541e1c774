import { expect, test } from 'vitest';

import { addressOf, pushedOf } from './pushed';

const conversation = '0190c0de-0000-7000-8000-000000000001';
const about = { v: 1, conversation, position: 7, sent_at: '2026-11-30T08:00:00.000Z' };
const shown = (fields: object) => pushedOf(JSON.stringify({ ...about, ...fields }));

test('a person’s words stand below their name, as words only', () => {
  const { title, body, tag, data, timestamp } = shown({
    kind: 'direct',
    title: 'Milena',
    sender: 'Milena',
    words: '**See** you\n`soon`',
  });
  expect([title, body, tag]).toEqual(['Milena', 'See you soon', `milena-${conversation}`]);
  expect(addressOf(data!)).toBe(`/c/${conversation}/m/7`);
  expect(timestamp).toBe(Date.parse(about.sent_at));
});

test('in a room it says who', () => {
  const { title, body } = shown({ kind: 'mention', title: 'Trams', sender: 'Max', words: '@Franz, come!' });
  expect([title, body]).toEqual(['Trams', 'Max: @Franz, come!']);
});

test('without words it says what happened, and no name', () => {
  const bodyOf = (kind: string) => shown({ kind });
  expect(bodyOf('direct')).toMatchObject({ title: 'Milena', body: 'New message' });
  expect(bodyOf('mention').body).toBe('You were mentioned');
  expect(bodyOf('reply').body).toBe('Your message was answered');
  expect(bodyOf('of a later version').body).toBe('New message');
});

test.each(['', '{', 'null', '[]', '{"conversation":5,"position":"x","words":{},"sent_at":7}'])(
  'something is shown for %s',
  (text) => {
    expect(pushedOf(text)).toEqual({
      title: 'Milena',
      body: 'New message',
      tag: 'milena',
      data: null,
      timestamp: undefined,
    });
  },
);
