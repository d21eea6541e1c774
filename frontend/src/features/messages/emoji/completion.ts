// Which emoji a text that is being typed asks for: `:` and at least two letters before the caret. Pure.

export interface Asked {
  /** What stands after the colon. */
  query: string;
  /** Where the colon stands. */
  from: number;
  /** The name is whole: a colon closes it. */
  closed: boolean;
}

/**
 * Not behind a letter or digit: `12:30` and `http://` ask for nothing. A name begins with a letter, so that
 * `:30` and `:100:` stay numbers and `:-D` what it is; but for two, which everybody knows.
 */
const ASKED = /(?:^|[^\p{L}\p{N}:/])(:(\+1|-1|[a-z][a-z0-9_+-]{1,39})(:?))$/iu;
/** As long as the longest name with what stands around it. */
const REACH = 48;
/** A word that is an address: what stands in it is a part of that. */
const ADDRESS = /:\/\/|^[^\w\s]{0,8}www\.|@/i;
const FENCE = /^ {0,3}(?:`{3,}|~{3,})/gm;

export function askedEmoji(text: string, caret: number): Asked | null {
  const match = ASKED.exec(text.slice(Math.max(0, caret - REACH), caret));
  const [, whole, query, closing] = match ?? [];
  if (whole === undefined || query === undefined) return null;
  const from = caret - whole.length;
  const before = text.slice(0, from);
  if (isInAddress(before) || isInCode(before)) return null;
  return { query: query.toLowerCase(), from, closed: closing === ':' };
}

function isInAddress(before: string): boolean {
  let start = before.length;
  while (start > 0 && !/\s/.test(before.charAt(start - 1))) start -= 1;
  return ADDRESS.test(before.slice(start));
}

/** Between fences, or behind a backtick of the same line that none has closed yet. */
function isInCode(before: string): boolean {
  const fences = before.match(FENCE)?.length ?? 0;
  if (fences % 2 === 1) return true;
  const runs = before.slice(before.lastIndexOf('\n') + 1).match(/`+/g) ?? [];
  let open: string | null = null;
  for (const run of runs) open = open === null ? run : open === run ? null : open;
  return open !== null;
}
