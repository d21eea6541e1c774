import { describe, expect, it } from 'vitest';

import { emojiOf } from './emoji-codes';
import { EMOJI, GROUPS, searchEmoji } from './emoji-set';

const found = (query: string) => searchEmoji(query, 8).map(({ char }) => char);

describe('the emoji', () => {
  it('are all there, each in a group, nearly all with a short name', () => {
    expect(EMOJI.length).toBeGreaterThan(1_800);
    expect(EMOJI.every(({ group }) => GROUPS[group])).toBe(true);
    expect(EMOJI.filter(({ codes }) => codes.length === 0).length).toBeLessThan(20);
  });

  it('are known by the short names that people type', () => {
    for (const [code, char] of [
      ['+1', '👍'],
      ['smile', '😄'],
      ['heart', '❤️'],
      ['tada', '🎉'],
    ] as const)
      expect(emojiOf(code)).toBe(char);
  });
});

describe('searchEmoji', () => {
  it('puts the nearest first', () => {
    expect(found('tada')[0]).toBe('🎉');
    expect(found(':smile:')[0]).toBe('😄');
    expect(found('smi').length).toBe(8);
    expect(found('hear')[0]).toBe('❤️');
    expect(found('red heart')[0]).toBe('❤️');
    expect(searchEmoji('celebrat', 96).map(({ char }) => char)).toContain('🎉');
  });

  it('finds nothing for nothing', () => {
    expect(found('')).toEqual([]);
    expect(found('qqqq')).toEqual([]);
    expect(found('[')).toEqual([]);
  });
});
