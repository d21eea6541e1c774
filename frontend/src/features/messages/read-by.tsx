// How many have read one's newest message, in a room that is small enough for it; pressed, who they are.
import { useChatState } from '@/lib/chat/chat-context';
import type { Message } from '@/lib/http/types';

import styles from './read-by.module.css';
import { useReaders } from './use-readers';

export function ReadBy({ message, onOpen }: { message: Message; onOpen: () => void }) {
  const { conversation, position } = message;
  const told = useReaders(conversation, position);
  const others = useChatState((state) => (state.conversations[conversation]?.room?.members ?? 1) - 1);
  return (
    <button type="button" className={styles.by} aria-haspopup="dialog" onClick={onOpen}>
      {countedReaders(told?.readers.length ?? 0, others)}
    </button>
  );
}

/** `others`: all but whoever wrote it. */
export function countedReaders(count: number, others: number): string {
  if (count === 0) return 'Sent';
  return count >= others && count > 1 ? 'Read by all' : `Read by ${count}`;
}
