import { describe, expect, it } from 'vitest';

import { SpokenTyping, Typing, typingText } from './typing';

describe('who writes', () => {
  it('goes six seconds after the last word of it', () => {
    const typing = new Typing();
    typing.told('c', 'anna', true, 0);
    typing.told('c', 'ben', true, 1_000);
    typing.told('d', 'anna', true, 2_000);
    expect(typing.deadlineMs()).toBe(6_000);
    typing.told('c', 'anna', true, 3_000);
    expect(typing.deadlineMs()).toBe(7_000);
    expect(typing.writers(6_999)).toEqual({ c: ['anna', 'ben'], d: ['anna'] });
    expect(typing.writers(7_000)).toEqual({ c: ['anna'], d: ['anna'] });
    expect(typing.writers(9_000)).toEqual({});
    expect(typing.deadlineMs()).toBe(Infinity);
  });

  it('goes when they say so, or have said what they had to say', () => {
    const typing = new Typing();
    typing.told('c', 'anna', true, 0);
    typing.told('c', 'ben', true, 0);
    typing.told('c', 'anna', false, 1_000);
    expect(typing.writers(1_000)).toEqual({ c: ['ben'] });
    typing.ended('c', 'ben');
    typing.ended('c', 'carol');
    expect(typing.writers(1_000)).toEqual({});
    typing.told('c', 'ben', true, 2_000);
    typing.clear();
    expect(typing.writers(2_000)).toEqual({});
  });
});

it.each([
  [[], ''],
  [['Anna'], 'Anna is writing'],
  [['Anna', 'Ben'], 'Anna and Ben are writing'],
  [['Anna', 'Ben', 'Carol'], 'Anna, Ben and Carol are writing'],
  [['Anna', 'Ben', 'Carol', 'Dora'], 'Several people are writing'],
])('of %j is said %j', (names, text) => {
  expect(typingText(names)).toBe(text);
});

describe('what is read out', () => {
  it('is that somebody began, not who joined or paused', () => {
    const spoken = new SpokenTyping();
    expect(spoken.of('', 0)).toBe('');
    expect(spoken.of('Anna is writing', 100_000)).toBe('Anna is writing');
    expect(spoken.of('Anna and Ben are writing', 101_000)).toBe('Anna is writing');
    expect(spoken.of('', 160_000)).toBe('');
    expect(spoken.of('Ben is writing', 165_000)).toBe('');
    expect(spoken.of('', 170_000)).toBe('');
    expect(spoken.of('Ben is writing', 200_000)).toBe('Ben is writing');
  });
});
