// What one has written in a room and could not send before one was out of it: it can still be copied.
import { useChatState } from '@/lib/chat/chat-context';
import type { ConversationId } from '@/lib/http/types';

import { MessageBody } from './format/message-body';
import styles from './unsent-left.module.css';
import { UnsentNote } from './unsent-note';

const NONE: never[] = [];

export function UnsentLeft({ conversation }: { conversation: ConversationId }) {
  const unsent = useChatState((state) => state.outbox[conversation] ?? NONE);
  if (unsent.length === 0) return null;
  return (
    <section className={styles.left} aria-label="What you could not send">
      {unsent.map((item) => (
        <div key={item.client_id} data-testid="unsent">
          <MessageBody id={`${item.client_id}-body`} text={item.body} />
          <UnsentNote item={item} />
        </div>
      ))}
    </section>
  );
}
