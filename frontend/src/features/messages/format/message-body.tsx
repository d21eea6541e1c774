// What somebody wrote, as it is shown: formatted where it has Markdown, larger where it is nothing but a few emoji, and
// otherwise exactly as it was typed.
import { memo } from 'react';

import { isEmojiOnly, mayHaveMarkdown } from './detect';
import styles from './formatted.module.css';
import { useMarkdown } from './lazy';
import { LinkedText } from './linked-text';

export const MessageBody = memo(function MessageBody({ text, id }: { text: string; id: string }) {
  const wanted = mayHaveMarkdown(text);
  const markdown = useMarkdown(wanted);
  const formatted = wanted ? (markdown?.formatMarkdown(text) ?? null) : null;
  if (formatted !== null)
    return (
      <div id={id} className={styles.formatted} dir="auto" data-testid="body">
        {formatted}
      </div>
    );
  return (
    <span id={id} className={isEmojiOnly(text) ? styles.emoji : styles.plain} dir="auto" data-testid="body">
      <LinkedText text={text} />
    </span>
  );
});
