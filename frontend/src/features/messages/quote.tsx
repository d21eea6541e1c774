// What a message answers, in a line above it. Pressed, it leads there.
import { Icon } from '@/components/ui/icon';
import { authorName } from '@/lib/chat/author-name';
import { useChatState } from '@/lib/chat/chat-context';
import { toNames } from '@/lib/chat/mentions';
import { DELETED_TEXT, textOf, UNKNOWN_TEXT } from '@/lib/chat/message-text';
import type { Message, Position, Target } from '@/lib/http/types';
import { oneLine } from '@/lib/markup/plain-text';

import { useDeeds, useMessageAt } from './deeds';
import styles from './message-extras.module.css';

const MAX_CHARS = 180;
/** It is on its way, or nobody may see it. */
const NOT_HERE = 'A message that is not here';

export function Quote({ target, from }: { target: Target; from: Position | null }) {
  const { conversation, jump } = useDeeds();
  const message = useMessageAt(conversation, target.position);
  const right = message?.id === target.id ? message : undefined;
  return (
    <button
      type="button"
      className={styles.quote}
      title="Show this message"
      disabled={!right}
      onClick={() => jump(target.position, from)}
    >
      <Icon name="reply" size={14} />
      <span className="visually-hidden">In answer to </span>
      {right ? <QuoteText message={right} /> : <span>{NOT_HERE}</span>}
    </button>
  );
}

/** Who said it, and what. */
export function QuoteText({ message }: { message: Message }) {
  const name = useChatState((state) => authorName(state, message.sender));
  const text = useChatState((state) => oneLine(toNames(textOf(message) ?? UNKNOWN_TEXT, state), MAX_CHARS));
  return (
    <>
      <bdi className={styles.quoted}>{name}</bdi>
      <span className="visually-hidden">: </span>
      <span className={styles.words} dir="auto">
        {message.deleted ? DELETED_TEXT : text}
      </span>
    </>
  );
}
