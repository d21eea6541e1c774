// What somebody wrote, as it is shown: formatted where it has marks that mean something, larger where it is
// nothing but a few emoji, and otherwise exactly as it was typed. React elements are made from a short list
// of nodes; there is no HTML on the way, so nothing in a message can become markup.
import { memo } from 'react';

import { blocksOf } from '@/lib/markup/blocks';

import { isEmojiOnly } from './detect';
import { Blocks } from './formatted-blocks';
import styles from './formatted.module.css';
import { Inlines } from './formatted-inline';

export const MessageBody = memo(function MessageBody({ text, id }: { text: string; id: string }) {
  const blocks = blocksOf(text);
  const [only, second] = blocks;
  const plain =
    only?.kind === 'text' &&
    second === undefined &&
    only.children.every(({ kind }) => kind === 'text' || kind === 'mark' || kind === 'link');
  if (!plain)
    return (
      <div id={id} className={styles.formatted} dir="auto" data-testid="body">
        <Blocks blocks={blocks} />
      </div>
    );
  return (
    <span id={id} className={isEmojiOnly(text) ? styles.emoji : styles.plain} dir="auto" data-testid="body">
      <Inlines nodes={only.children} />
    </span>
  );
});
