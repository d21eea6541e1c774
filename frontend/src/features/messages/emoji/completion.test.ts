import { expect, it } from 'vitest';

import { askedEmoji } from './completion';

const asked = (text: string) => askedEmoji(text, text.length);

it('finds the name that is being typed', () => {
  expect(asked('hello :smi')).toEqual({ query: 'smi', from: 6, closed: false });
  expect(asked(':+1')).toEqual({ query: '+1', from: 0, closed: false });
  expect(asked('(:Smile:')).toEqual({ query: 'smile', from: 1, closed: true });
  expect(askedEmoji('a :smile b', 5)).toEqual({ query: 'sm', from: 2, closed: false });
  expect(asked('😄:smi')).toEqual({ query: 'smi', from: 2, closed: false });
});

it('leaves times, addresses and lonely colons alone', () => {
  for (const text of [
    '',
    ':',
    ':s',
    '12:30',
    'http://a',
    'http://ab',
    'a:bc',
    'note: yes',
    ':sm ile',
    '::ab',
  ])
    expect(asked(text), text).toBeNull();
});
