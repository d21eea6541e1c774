import { expect, it } from 'vitest';

import { blocksOf } from './blocks';
import { findLinks, otherHost } from './links';
import { plainText } from './plain-text';

const PIECES = [
  ...[
    '[',
    ']',
    '](',
    '[a](',
    '[a](http://',
    '![',
    '[a](https://b.example) ',
    '[\\[',
    '*a ',
    ' a*',
    '**a ',
    '_*',
    '***a* ',
  ],
  ...[
    '\\*a ',
    '\\*a b\\* ',
    '`',
    '`a ``b ',
    '` \n',
    '``` ',
    '```\n',
    '```a\n',
    '> ',
    '> a\n',
    '> \n',
    '- ',
    '- a\n',
    '1. a\n',
  ],
  ...[
    '  - a\n',
    '~~a',
    '~',
    '<',
    '\\',
    '\n',
    ' \n',
    ' ',
    '1',
    'a',
    'a.',
    'a@',
    'www.',
    'https://',
    '*https://a.example/*',
  ],
];

/** Where what stands before and behind the repeated part decides. */
const FRAMED: [before: string, piece: string, after: string][] = [
  ['```', ' ', '!\n'],
  ['```a', '\t', '!\n'],
  ['   ```', '`', '!\n'],
  ['- ', '*', 'a\n'],
  ['mailto:', '%40', '@'],
];

/** The least of three, in ms of this process: what the machine does besides is not in it. */
function leastMs(work: () => void): number {
  const times = [1, 2, 3].map(() => {
    const begun = process.cpuUsage().user;
    work();
    return (process.cpuUsage().user - begun) / 1_000;
  });
  return Math.min(...times);
}

it('grows with the text, not with its square', { timeout: 60_000 }, () => {
  let run = 0;
  const parse = ([before, piece, after]: (typeof FRAMED)[number], chars: number) =>
    leastMs(() => {
      // Another text each time: what was parsed lately is kept.
      const text = `${before}${piece.repeat(chars / piece.length)}${after} ${(run += 1)}`;
      findLinks(text);
      blocksOf(text);
      if (before === 'mailto:') otherHost('a.example', text);
    });
  for (const framed of [
    ...PIECES.map((piece) => ['', piece, ''] satisfies (typeof FRAMED)[number]),
    ...FRAMED,
  ]) {
    // Eight times the text: eight times the work, not sixty-four times. What takes no time at all says
    // nothing.
    const [short, long] = [parse(framed, 8_000), parse(framed, 64_000)];
    expect(long < 150 || long / short < 28, `${framed.join('…')}: ${short} ms, then ${long} ms`).toBe(true);
  }
  expect(plainText('**kept**')).toBe('kept');
});
