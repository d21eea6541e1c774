// Where `*`, `_` and `~~` may begin and end something. Stricter than Markdown: people type these in products (2*3*4), names
// (snake_case), globs (*.tar.*), smileys (>_<, *-*) and art without meaning anything by them.

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
}

export function canOpen({ run, before, after }: Side): boolean {
  if (after === '' || /\s/.test(after)) return false;
  if (!BEGINS.test(after) && (run === '*' || !/[./-]/.test(after))) return false;
  return before === '' || /\s/.test(before) || parts(before, JOINS_BEFORE, run);
}

export function canClose({ run, before, after, beyond }: Side): boolean {
  if (before === '' || /[\s/]/.test(before)) return false;
  if (after === '' || /\s/.test(after)) return true;
  if (/[.-]/.test(after)) return !WORD.test(beyond);
  return parts(after, JOINS_AFTER, run);
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
