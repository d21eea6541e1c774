// Who is meant by what was typed, best first. Pure and without the server, so that it answers at once and
// offline. Each word that was typed must begin some word of some name; marks on letters, case and punctuation
// do not count.

import { wordsOf } from '@/lib/names/fold';

export interface Candidate {
  /** Everything one may be called. */
  names: readonly string[];
  unread: number;
}

/**
 * Of equal rank: first those with something unread, then in the order in which they came (newest activity
 * first).
 */
export function find<T extends Candidate>(query: string, candidates: readonly T[]): T[] {
  const wanted = wordsOf(query);
  if (wanted.length === 0) return [];
  return candidates
    .map((candidate) => ({ candidate, rank: rankOf(candidate.names, wanted) }))
    .filter(({ rank }) => rank < Rank.none)
    .sort((a, b) => a.rank - b.rank || Number(b.candidate.unread > 0) - Number(a.candidate.unread > 0))
    .map(({ candidate }) => candidate);
}

const Rank = { whole: 0, prefix: 1, words: 2, none: 3 };

function rankOf(names: readonly string[], wanted: readonly string[]): number {
  const plain = names.map((name) => wordsOf(name).join(' '));
  const text = wanted.join(' ');
  if (plain.includes(text)) return Rank.whole;
  if (plain.some((name) => name.startsWith(text))) return Rank.prefix;
  return wanted.every((word) => plain.some((name) => hasWord(name, word))) ? Rank.words : Rank.none;
}

/** Scripts that are written without spaces: a word can begin at each sign. */
const WORD_START = /(?<=^| )[^ ]|[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/gu;

const hasWord = (name: string, word: string) =>
  Array.from(name.matchAll(WORD_START)).some(({ index }) => name.startsWith(word, index));
