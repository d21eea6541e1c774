// A message as words only, for where there is no room or no way to draw it: notifications, announcements, the
// list. The same tree as on the page, so no letter is missing, and no mark is there that the page does not
// show.
import { blocksOf } from './blocks';
import type { Block, Inline } from './nodes';

export function plainText(text: string): string {
  return blocksOf(text).map(ofBlock).join('\n');
}

/** More is not read for a line. */
const READ_MAX_CHARS = 2_000;

/** In one line of at most so many characters. */
export function oneLine(text: string, maxChars: number): string {
  const line = plainText(text.trimStart().slice(0, READ_MAX_CHARS)).replace(/\s+/g, ' ').trim();
  const chars = Array.from(line);
  return chars.length > maxChars
    ? `${chars
        .slice(0, maxChars - 1)
        .join('')
        .trimEnd()}…`
    : line;
}

function ofBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return ofInline(block.children);
    case 'quote':
      return block.blocks.map(ofBlock).join('\n');
    case 'list':
      return block.items.map(({ number, children }) => `${number ?? '•'} ${ofInline(children)}`).join('\n');
    case 'fence':
      return block.code;
  }
}

function ofInline(nodes: readonly Inline[]): string {
  return nodes
    .map((node) => ('children' in node ? ofInline(node.children) : node.kind === 'mark' ? '' : node.text))
    .join('');
}
