// Which emoji a text that is being typed asks for: `:` and at least two letters before the caret. Pure.

export interface Asked {
  /** What stands after the colon. */
  query: string;
  /** Where the colon stands. */
  from: number;
  /** The name is whole: a colon closes it. */
  closed: boolean;
}

/** Not behind a letter or digit: `12:30` and `http://` ask for nothing. */
const ASKED = /(?:^|[^\p{L}\p{N}:/])(:([a-z0-9_+-]{2,40})(:?))$/iu;

export function askedEmoji(text: string, caret: number): Asked | null {
  const match = ASKED.exec(text.slice(Math.max(0, caret - 48), caret));
  const [, whole, query, closing] = match ?? [];
  if (whole === undefined || query === undefined) return null;
  return { query: query.toLowerCase(), from: caret - whole.length, closed: closing === ':' };
}
