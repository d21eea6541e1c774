// The nodes inside of lines as elements.
import { createElement } from 'react';

import type { Inline } from '@/lib/markup/nodes';

import { NamedText } from './mention';
import { MessageLink } from './message-link';

export function Inlines({ nodes }: { nodes: readonly Inline[] }) {
  return nodes.map((node, key) => {
    switch (node.kind) {
      case 'text':
        return <NamedText key={key} text={node.text} />;
      case 'mark':
        return null;
      case 'code':
        return <code key={key}>{node.text}</code>;
      case 'link':
        return (
          <MessageLink key={key} href={node.href} label={shownOf(node.children)}>
            <Inlines nodes={node.children} />
          </MessageLink>
        );
      default:
        return createElement(node.kind, { key }, <Inlines nodes={node.children} />);
    }
  });
}

/** The text that the nodes show. */
function shownOf(nodes: readonly Inline[]): string {
  return nodes
    .map((node) => ('children' in node ? shownOf(node.children) : node.kind === 'mark' ? '' : node.text))
    .join('');
}
