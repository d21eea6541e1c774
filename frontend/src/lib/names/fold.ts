// What names are compared by: the same rules as the server's (crates/domain/src/unicode.rs), proven by one
// table of cases that both run (crates/domain/tests/names.json).

/** Letters that Unicode does not take apart into a letter and its mark, and the sigma that ends a word. */
const LETTERS: Record<string, string> = {
  ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', þ: 'th', ł: 'l', ħ: 'h', ı: 'i', ς: 'σ',
}; // prettier-ignore

/** Without case, marks and what is not seen. */
export const fold = (text: string) =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replace(/[ßæœøđðþłħıς]/g, (letter) => LETTERS[letter] ?? letter);

/** The folded words, without punctuation. */
export function wordsOf(text: string): string[] {
  const words = fold(text).split(/[\p{White_Space}\p{P}]+/u);
  return words.filter(Boolean);
}

/** Symbols whose drawing is empty; no property says so. */
const BLANK = /[\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}]/gu;

/** Whether anything of the text is seen. */
export const isVisible = (text: string) => text.replace(BLANK, '') !== '';
