// How a text says whom it names: `<@id>`, `<@everyone>`.

export const EVERYONE = 'everyone';
/** With the global flag: for `replace` and `matchAll`, which leave it as it is. */
export const TOKEN = /<@([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|everyone)>/g;

export type Part = { text: string } | { mention: string };

/** A text with its names apart. */
export function partsOf(text: string): Part[] {
  if (!text.includes('<@')) return [{ text }];
  const parts: Part[] = [];
  let done = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (match.index > done) parts.push({ text: text.slice(done, match.index) });
    parts.push({ mention: match[1] ?? '' });
    done = match.index + match[0].length;
  }
  if (done < text.length) parts.push({ text: text.slice(done) });
  return parts;
}
