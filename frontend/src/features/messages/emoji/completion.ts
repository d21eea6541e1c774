// Which emoji a text that is being typed asks for: `:` and at least two letters before the caret. Pure.
import { isLeftAlone } from '../typed-context';

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
export function askedEmoji(text: string, caret: number): Asked | null {
  const match = ASKED.exec(text.slice(Math.max(0, caret - REACH), caret));
  const [, whole, query, closing] = match ?? [];
  if (whole === undefined || query === undefined) return null;
  const from = caret - whole.length;
  if (isLeftAlone(text, from, caret)) return null;
  return { query: query.toLowerCase(), from, closed: closing === ':' };
}
