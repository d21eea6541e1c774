// What one did with messages and the server refused for good: why, and what can be done about it. It stands
// here until somebody decides; the message shows what is true.
import { useState } from 'react';

import { Button } from '@/components/ui/button';
import { useChat } from '@/lib/chat/chat-context';
import { copyText } from '@/lib/clipboard/copy-text';
import { explain } from '@/lib/http/api-error';
import type { OutboxItem } from '@/lib/outbox/outbox-item';

import { useDeeds } from './deeds';
import styles from './composer.module.css';

export function FailedDeeds({ pending }: { pending: readonly OutboxItem[] }) {
  const failed = pending.filter(({ status }) => status === 'failed');
  const [first] = failed;
  return first ? <FailedDeed key={first.client_id} item={first} more={failed.length - 1} /> : null;
}

function FailedDeed({ item, more }: { item: OutboxItem; more: number }) {
  const chat = useChat();
  const { jump } = useDeeds();
  const [copied, setCopied] = useState<boolean | null>(null);
  const { deed, reason, client_id, body } = item;
  return (
    <div className={styles.failed} role="alert" data-testid="failed-deed">
      <p>
        {whatFailed(item)} {reason ? explain(reason.code, reason.message) : ''}
        {more > 0 && ` (And ${more} more.)`}
      </p>
      <div>
        {deed && (
          <Button look="text" onClick={() => jump(deed.target.position, null)}>
            Show message
          </Button>
        )}
        <Button look="text" onClick={() => chat.retry(client_id)}>
          Retry
        </Button>
        {body !== '' && (
          <Button look="text" onClick={() => void copyText(body).then(setCopied)}>
            {copied === null ? 'Copy' : copied ? 'Copied' : 'Not copied'}
          </Button>
        )}
        <Button look="text" onClick={() => chat.discard(client_id)}>
          Discard
        </Button>
      </div>
    </div>
  );
}

function whatFailed({ deed }: OutboxItem): string {
  switch (deed?.does) {
    case 'edit':
      return 'Your edit was not saved.';
    case 'delete':
      return 'The message was not deleted.';
    case 'react':
      return deed.on
        ? `Your reaction ${deed.emoji} was not taken.`
        : `Your ${deed.emoji} was not taken back.`;
    case 'pin':
      return deed.on ? 'The message was not pinned.' : 'The message was not unpinned.';
    case undefined:
      return '';
  }
}
