// Text, quotes, lists and code as elements. Text keeps its lines and spaces: the style sheet shows them as
// they were typed.
import type { ReactNode } from 'react';

import type { Block, Inline, ListItem } from '@/lib/markup/nodes';

import { CodeBlock } from './code-block';
import { Inlines } from './formatted-inline';

export function Blocks({ blocks }: { blocks: readonly Block[] }) {
  return blocks.map((block, key) => {
    switch (block.kind) {
      case 'text': {
        const shown = between(block.children, key > 0, key < blocks.length - 1);
        return shown.length > 0 ? (
          <p key={key}>
            <Inlines nodes={shown} />
          </p>
        ) : null;
      }
      case 'quote':
        return (
          <blockquote key={key}>
            <Blocks blocks={block.blocks} />
          </blockquote>
        );
      case 'list':
        return <Lists key={key} items={block.items} />;
      case 'fence':
        return <CodeBlock key={key} code={block.code} language={block.language} />;
    }
  });
}

/** A blank line beside another block only parts the two: the room between them does that. */
function between(nodes: readonly Inline[], after: boolean, before: boolean): Inline[] {
  const shown = [...nodes];
  const cut = (at: number, pattern: RegExp) => {
    const node = shown.at(at);
    if (node?.kind === 'text') shown.splice(at, 1, { ...node, text: node.text.replace(pattern, '') });
  };
  if (after) cut(0, /^[^\S\n]*\n/);
  if (before) cut(-1, /\n[^\S\n]*$/);
  return shown.some((node) => node.kind !== 'text' || node.text.trim() !== '') ? shown : [];
}

/** Items in a row as nested lists; another kind of mark begins another list. */
function Lists({ items }: { items: readonly ListItem[] }) {
  const depth = items[0]?.depth ?? 0;
  const lists: { ordered: boolean; items: { item: ListItem; inside: ListItem[] }[] }[] = [];
  for (const item of items) {
    const ordered = item.number !== null;
    const last = lists.at(-1);
    if (last && item.depth > depth) last.items.at(-1)?.inside.push(item);
    else if (last?.ordered === ordered) last.items.push({ item, inside: [] });
    else lists.push({ ordered, items: [{ item, inside: [] }] });
  }
  return lists.map(({ ordered, items: own }, key) => {
    const inside = own.map(({ item, inside: deeper }, index) => (
      <Item key={index} item={item}>
        {deeper.length > 0 && <Lists items={deeper} />}
      </Item>
    ));
    return ordered ? <ol key={key}>{inside}</ol> : <ul key={key}>{inside}</ul>;
  });
}

function Item({ item: { number, children: nodes }, children }: { item: ListItem; children: ReactNode }) {
  const value = number === null ? null : Number.parseInt(number, 10);
  // The number is the one that was typed, and looks like it: `007)` too.
  const style = value === null || number === `${value}.` ? undefined : { listStyleType: `"${number} "` };
  return (
    <li {...(value === null ? {} : { value })} {...(style ? { style } : {})}>
      <Inlines nodes={nodes} />
      {children}
    </li>
  );
}
