// What the composer is for when it is not a new message, and how to leave that.
import { IconButton } from '@/components/ui/button';
import { Icon } from '@/components/ui/icon';
import { useChatState } from '@/lib/chat/chat-context';
import { editableUntilMs } from '@/lib/chat/message-rights';
import type { Writing } from '@/lib/chat/writing';
import type { ConversationId } from '@/lib/http/types';
import { clockTime } from '@/lib/time/format';

import styles from './composer.module.css';
import { useDeeds, useMessageAt } from './deeds';
import extras from './message-extras.module.css';
import { QuoteText } from './quote';

interface WritingBarProps {
  id: string;
  conversation: ConversationId;
  writing: Writing;
  onLeave: () => void;
}

export function WritingBar({ id, conversation, writing, onLeave }: WritingBarProps) {
  const { jump } = useDeeds();
  const message = useMessageAt(conversation, writing.target.position);
  const edits = writing.kind === 'edit';
  const limits = useChatState((state) => state.limits);
  const until = message ? editableUntilMs(message, limits) : null;
  return (
    <div className={styles.writing} data-testid="writing">
      <Icon name={edits ? 'pencil' : 'reply'} size={18} />
      <p id={id}>
        <strong>{edits ? 'Editing your message' : 'Answering'}</strong>
        {!edits && message && (
          <button
            type="button"
            className={extras.quote}
            title="Show this message"
            onClick={() => jump(message.position, null)}
          >
            <QuoteText message={message} />
          </button>
        )}
        {edits && <span className={styles.how}>Enter saves, Esc leaves it as it was.</span>}
        {edits && until !== null && <span>Can be saved until {clockTime(until)}</span>}
      </p>
      <IconButton
        icon="close"
        label={edits ? 'Leave the message as it was' : 'Do not answer this message'}
        onClick={onLeave}
      />
    </div>
  );
}
