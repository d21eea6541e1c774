import { expect, it } from 'vitest';

import { OwnTyping } from './own-typing';

const on = (conversation = 'c') => [{ conversation, on: true }];
const off = (conversation = 'c') => [{ conversation, on: false }];

it('is said every three seconds while somebody types', () => {
  const typing = new OwnTyping();
  const said = [];
  for (let ms = 0; ms <= 10_000; ms += 100) if (typing.typed('c', false, ms).length > 0) said.push(ms);
  expect(said).toEqual([0, 3_000, 6_000, 9_000]);
});

it('ends once, when nothing is left', () => {
  const typing = new OwnTyping();
  expect(typing.typed('c', true, 0)).toEqual([]);
  expect(typing.typed('c', false, 0)).toEqual(on());
  expect(typing.typed('c', true, 500)).toEqual(off());
  expect(typing.typed('c', true, 600)).toEqual([]);
  // On and off is no way around.
  expect(typing.typed('c', false, 700)).toEqual([]);
  expect(typing.typed('c', true, 800)).toEqual([]);
  expect(typing.typed('c', false, 3_000)).toEqual(on());
});

it('ends by itself when nobody types any more', () => {
  const typing = new OwnTyping();
  typing.typed('c', false, 0);
  expect(typing.typed('c', true, 6_000)).toEqual([]);
});

it('ends when the conversation is left, and begins in the next one at once', () => {
  const typing = new OwnTyping();
  typing.typed('c', false, 0);
  expect(typing.left(100)).toEqual(off());
  expect(typing.left(200)).toEqual([]);
  expect(typing.typed('d', false, 300)).toEqual(on('d'));
  expect(typing.typed('c', false, 400)).toEqual([...off('d'), ...on('c')]);
});
