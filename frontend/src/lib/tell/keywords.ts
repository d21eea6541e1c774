// Words of which somebody wants to hear, and whether a message has one: the same rules as the server's
// (crates/domain/src/tell/keywords.rs), proven by one table of cases that both run.
import { fold } from '@/lib/names/fold';

const IN_WORDS = /[\p{Alphabetic}\p{N}]/u;
const SCRIPTS = ['Han', 'Hiragana', 'Katakana', 'Thai', 'Lao', 'Khmer', 'Myanmar'];
const WITHOUT_BLANKS = new RegExp(`[${SCRIPTS.map((name) => `\\p{Script=${name}}`).join('')}]`, 'u');
/** Folding takes Korean syllables apart; the second begins another one. */
const JAMO = /[\u1100-\u11ff]/;
const FIRST_OF_SYLLABLE = /[\u1100-\u115f]/;

const folded = (text: string) =>
  fold(text)
    .replace(/\p{White_Space}+/gu, ' ')
    .trim();

/** Whether one of them stands in the text: as a whole word, or some whole words. */
export function hasKeyword(text: string, keywords: readonly string[]): boolean {
  if (keywords.length === 0) return false;
  const all = folded(text);
  return keywords.some((keyword) => stands(folded(keyword), all));
}

function stands(keyword: string, text: string): boolean {
  const [first, last] = [firstOf(keyword), lastOf(keyword)];
  if (first === undefined || last === undefined) return false;
  for (let at = text.indexOf(keyword); at >= 0; at = text.indexOf(keyword, at + first.length)) {
    const [before, after] = [lastOf(text.slice(0, at)), firstOf(text.slice(at + keyword.length))];
    const begins = before === undefined || !isOneWord(before, first);
    const ends = after === undefined || !isOneWord(last, after) || isNextSyllable(last, after);
    if (begins && ends) return true;
  }
  return false;
}

/** Whether two characters that stand beside each other belong to one word. */
const isOneWord = (before: string, after: string): boolean => isInWord(before) && isInWord(after);
const isInWord = (char: string): boolean => IN_WORDS.test(char) && !WITHOUT_BLANKS.test(char);
const isNextSyllable = (before: string, after: string): boolean =>
  JAMO.test(before) && FIRST_OF_SYLLABLE.test(after);

const firstOf = (text: string): string | undefined => /^./su.exec(text)?.[0];
const lastOf = (text: string): string | undefined => /.$/su.exec(text.slice(-2))?.[0];
