// Where `*`, `_` and `~~` may begin and end something. Stricter than Markdown: people type these in products
// (2*3*4), names (snake_case), globs (*.tar.*), smileys (>_<, *-*) and art without meaning anything by them.

/** Scripts without spaces between words: there a mark may stand beside a letter. */
const SPACELESS =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const WORD = /[\p{L}\p{N}\p{M}]/u;
const PUNCTUATION = /[\p{P}\p{So}\uFE0F]/u;
/** Punctuation that holds words together instead of parting them. */
const JOINS_BEFORE = /[./\\@#%&\-)\]}]/;
const JOINS_AFTER = /[/\\@#%&([{]/;
/** What something emphasised begins with. */
const BEGINS = /[\p{L}\p{N}\p{M}\p{So}\p{Sc}\p{Ps}\p{Pi}"'`*_~#@&+¡¿<\\]/u;
/** Without a letter, a number or a symbol there is nothing to emphasise. */
const CONTENT = /[\p{L}\p{N}\p{So}]/u;

/** More marks side by side than all kinds of emphasis have together are drawn as they are. */
const ADJACENT_MAX = 8;

export const hasContent = (text: string): boolean => CONTENT.test(text);
export const isWord = (char: string): boolean => WORD.test(char) && !SPACELESS.test(char);

export interface Side {
  /** The marks, of one kind. */
  run: string;
  /** The character before and after them; empty at the ends of the text. */
  before: string;
  after: string;
  /** The one behind `after`. */
  beyond: string;
  /** The first ones that are no marks: between marks alone (*_*) nothing begins or ends. */
  textBefore: string;
  textAfter: string;
}

export function canOpen({ run, before, after, textAfter }: Side): boolean {
  if (textAfter === '' || /[\s\p{Pe}]/u.test(textAfter)) return false;
  if (!BEGINS.test(after) && (run === '*' || !/[./-]/.test(after))) return false;
  return before === '' || /\s/.test(before) || parts(before, JOINS_BEFORE, run);
}

export function canClose({ run, before, after, beyond, textBefore }: Side): boolean {
  // In `(*)` it is a footnote.
  if (before === '/' || textBefore === '' || /[\s\p{Ps}]/u.test(textBefore)) return false;
  if (after === '' || /\s/.test(after)) return true;
  if (/[.-]/.test(after)) return !WORD.test(beyond);
  return parts(after, JOINS_AFTER, run);
}

export function sideOf(text: string, at: number, end: number, run: string): Side {
  const after = charAt(text, end);
  const marksAfter = /^[*_~]*/.exec(text.slice(end, end + ADJACENT_MAX))?.[0].length ?? 0;
  const marksBefore = /[*_~]*$/.exec(text.slice(Math.max(0, at - ADJACENT_MAX), at))?.[0].length ?? 0;
  return {
    run,
    before: charBefore(text, at),
    after,
    beyond: charAt(text, end + after.length),
    textBefore: marksBefore < ADJACENT_MAX ? charBefore(text, at - marksBefore) : '',
    textAfter: marksAfter < ADJACENT_MAX ? charAt(text, end + marksAfter) : '',
  };
}

function parts(char: string, joining: RegExp, run: string): boolean {
  if (SPACELESS.test(char)) return !run.startsWith('_');
  return PUNCTUATION.test(char) && !joining.test(char);
}

/** The character at a place, whole also when it is two units; empty outside. */
export function charAt(text: string, at: number): string {
  const point = text.codePointAt(at);
  return point === undefined ? '' : String.fromCodePoint(point);
}

export function charBefore(text: string, at: number): string {
  const low = text[at - 1] ?? '';
  return /[\uDC00-\uDFFF]/.test(low) && at > 1 ? charAt(text, at - 2) : low;
}
