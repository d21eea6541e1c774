// What a message is made of. Every character that was typed is in exactly one leaf, in order, so that the
// leaves joined are the source again (`sourceOf`): nothing can get lost between the text and the page. A mark
// is the only leaf that is not shown, and is one only because it visibly did something.

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'mark'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'link'; href: string; children: Inline[] }
  | { kind: 'em' | 'strong' | 's'; children: Inline[] };

export interface ListItem {
  /** Indentation and bullet or number, as typed. */
  mark: string;
  /** How deep it is drawn: 0 is the outermost. */
  depth: number;
  /** `5.` or `5)`; null for a bullet. */
  number: string | null;
  children: Inline[];
}

export type Block =
  | { kind: 'text'; children: Inline[] }
  /** `marks`: what stood before each of its lines. */
  | { kind: 'quote'; marks: string[]; blocks: Block[] }
  | { kind: 'list'; items: ListItem[] }
  | { kind: 'fence'; open: string; language: string; code: string; close: string };

/** Exactly what was typed. */
export function sourceOf(blocks: readonly Block[]): string {
  return blocks.map(sourceOfBlock).join('\n');
}

function sourceOfBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return sourceOfInline(block.children);
    case 'quote':
      return sourceOf(block.blocks)
        .split('\n')
        .map((line, index) => (block.marks[index] ?? '') + line)
        .join('\n');
    case 'list':
      return block.items.map(({ mark, children }) => mark + sourceOfInline(children)).join('\n');
    case 'fence':
      return [block.open, block.code, block.close].join('\n');
  }
}

function sourceOfInline(nodes: readonly Inline[]): string {
  return nodes.map((node) => ('children' in node ? sourceOfInline(node.children) : node.text)).join('');
}

/** The same tree with other words in its texts; marks, code and addresses stay as they are. */
export function mapTexts(blocks: readonly Block[], to: (text: string) => string): Block[] {
  const inline = (nodes: readonly Inline[]): Inline[] =>
    nodes.map((node) => {
      if (node.kind === 'text') return { ...node, text: to(node.text) };
      if (node.kind === 'link' || !('children' in node)) return node;
      return { ...node, children: inline(node.children) };
    });
  return blocks.map((block): Block => {
    switch (block.kind) {
      case 'text':
        return { ...block, children: inline(block.children) };
      case 'quote':
        return { ...block, blocks: mapTexts(block.blocks, to) };
      case 'list':
        return { ...block, items: block.items.map((item) => ({ ...item, children: inline(item.children) })) };
      case 'fence':
        return block;
    }
  });
}
