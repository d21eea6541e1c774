// The short names of emoji, which stand between colons: in the page from the start, so that what is typed
// becomes the same whether the rest about emoji is loaded or not.
import lines from 'virtual:emoji-codes';

export interface Codes {
  char: string;
  /** The first is the usual one. */
  codes: string[];
}

let all: readonly Codes[] | undefined;
let byCode: ReadonlyMap<string, string> | undefined;

/** In the order of Unicode. Taken apart when it is asked for first. */
export function allCodes(): readonly Codes[] {
  all ??= lines.split('\n').map((line) => {
    const [char = '', ...codes] = line.split(' ').filter(Boolean);
    return { char, codes };
  });
  return all;
}

/** The emoji that is called exactly so. */
export function emojiOf(code: string): string | undefined {
  byCode ??= new Map(allCodes().flatMap(({ char, codes }) => codes.map((name) => [name, char])));
  return byCode.get(code);
}
