import { readFileSync } from 'node:fs';

import { describe, expect, it, vi } from 'vitest';

import type { Person } from '@/lib/http/types';

import { fold, isVisible, wordsOf } from './fold';
import { alike, lookalike } from './lookalike';

interface Case {
  text: string;
  fold: string;
  words: string[];
  visible: boolean;
  lookalike: string;
}

// The server's tests run the same table.
const cases = JSON.parse(readFileSync('../crates/domain/tests/names.json', 'utf8')) as Case[];

describe('names are compared as the server compares them', () => {
  it.each(cases)('$text', ({ text, ...expected }) => {
    expect({
      fold: fold(text),
      words: wordsOf(text),
      visible: isVisible(text),
      lookalike: lookalike(text),
    }).toEqual(expected);
  });
});

describe('names that can be taken for each other', () => {
  const person = (id: string, display_name: string, username: string): Person => ({
    id,
    display_name,
    username,
  });
  const me = person('me', 'Franz', 'franz');

  it.each([
    ['the same name', ['Milena', 'm1'], ['Milena', 'm2'], ['1', '2']],
    ['marks and case', ['MILENA', 'm1'], ['Miléna', 'm2'], ['1', '2']],
    ['another script', ['Milena', 'm1'], ['Мilеnа', 'm2'], ['1', '2']],
    ['what is not seen', ['Anna', 'a1'], ['An\u200bna', 'a2'], ['1', '2']],
    ["another's username", ['Somebody', 'milena'], ['Milena', 'm2'], ['2']],
    ["one's own name", ['Franz.', 'x'], ['Max', 'max'], ['1', 'me']],
    ['the notes', ['Notes to self', 'x'], ['Max', 'max'], ['1']],
    ['signs alone', ['🦊', 'fox1'], ['🦊', 'fox2'], ['1', '2']],
    ['different ones', ['Anna', 'anna'], ['Hanna', 'hanna'], []],
  ])('%s', (_, [one = '', first = ''], [other = '', second = ''], expected) => {
    const found = alike([person('1', one, first), person('2', other, second)], me);
    expect([...found].sort()).toEqual(expected);
  });

  it('folds the names of however many people once', () => {
    const people = Array.from({ length: 12_000 }, (_, n) => person(`p${n}`, `Name ${n}`, `user_${n}`));
    alike(people, me);
    const folds = vi.spyOn(String.prototype, 'normalize');
    alike(people, me);
    // The page's own words.
    expect(folds.mock.calls.length).toBeLessThanOrEqual(2);
  });
});
