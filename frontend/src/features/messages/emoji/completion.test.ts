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
    'at :30',
    ':10',
    ':100:',
    'well :-D',
    ':-P',
  ])
    expect(asked(text), text).toBeNull();
});

it('leaves code and links alone', () => {
  for (const text of [
    '`a :so',
    'call ``f(`x`, :smile:',
    '```\nlet a = b\n :smile:',
    '~~~py\nx[ :so',
    'https://a.example/(:smile:',
    'see (www.a.example/-:so',
    'a@b.example/:smile:',
  ])
    expect(asked(text), text).toBeNull();
  for (const text of ['`a` :so', '```\na\n```\n:so', 'https://a.example :so', 'it`s\n:so'])
    expect(asked(text)?.query, text).toBe('so');
});

it('takes a second for none of the longest texts', () => {
  const before = performance.now();
  for (const part of ['`', 'a', ' ', '\n```', ':']) asked(`${part.repeat(300_000)} :smile`);
  expect(performance.now() - before).toBeLessThan(1_000);
});
