// All emoji, and how they are found. Loaded when somebody picks one or types a colon and letters.
import rows from 'virtual:emoji';

import { allCodes } from './emoji-codes';

export interface Emoji {
  char: string;
  /** As Unicode calls it. */
  name: string;
  /** Index in `GROUPS`. */
  group: number;
  /** What stands between colons; the first is the usual one. */
  codes: string[];
  words: string[];
}

export const GROUPS: Record<number, string> = {
  0: 'Smileys',
  1: 'People',
  3: 'Animals and nature',
  4: 'Food and drink',
  5: 'Travel and places',
  6: 'Activities',
  7: 'Objects',
  8: 'Symbols',
  9: 'Flags',
};

export const EMOJI: readonly Emoji[] = allCodes().map(({ char, codes }, index) => {
  const [name, group, words] = rows[index] ?? ['', 0, ''];
  return { char, codes, name, group, words: words.split(' ').filter(Boolean) };
});

/**
 * Best first: short names that are it, begin with it, have a word that begins with it; then names and other
 * words.
 */
export function searchEmoji(query: string, limit: number): Emoji[] {
  const wanted = query.trim().toLowerCase().replace(/^:|:$/g, '').replace(/\s+/g, '_');
  if (wanted === '') return [];
  const ranked: Emoji[][] = Array.from({ length: 6 }, () => []);
  for (const emoji of EMOJI) ranked[rank(emoji, wanted)]?.push(emoji);
  // Of those that begin with it, the shortest is what most people mean.
  ranked[1]?.sort((a, b) => nearest(a, wanted) - nearest(b, wanted));
  return ranked.slice(0, 5).flat().slice(0, limit);
}

function nearest({ codes }: Emoji, wanted: string): number {
  return Math.min(...codes.filter((code) => code.startsWith(wanted)).map((code) => code.length));
}

/** 5: not at all. */
function rank({ codes, name, words }: Emoji, wanted: string): number {
  if (codes.includes(wanted)) return 0;
  if (codes.some((code) => code.startsWith(wanted))) return 1;
  if (codes.some((code) => code.includes(`_${wanted}`))) return 2;
  const spoken = wanted.replaceAll('_', ' ');
  if (name.toLowerCase().includes(spoken)) return 3;
  return words.some((word) => word.startsWith(wanted)) ? 4 : 5;
}
