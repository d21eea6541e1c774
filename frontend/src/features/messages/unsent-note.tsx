// Why a message is not sent, and what can be done about it. The text is never lost: it can be copied before
// it is discarded.
import { useState } from 'react';

import { Button } from '@/components/ui/button';
import { useChat } from '@/lib/chat/chat-context';
import { explain } from '@/lib/http/api-error';
import type { OutboxItem } from '@/lib/outbox/outbox-item';

import { copyText } from '@/lib/clipboard/copy-text';
import styles from './message-row.module.css';

export function UnsentNote({ item }: { item: OutboxItem }) {
  const chat = useChat();
  const [copied, setCopied] = useState<boolean | null>(null);
  const failed = item.status === 'failed';
  const why = item.reason ? explain(item.reason.code, item.reason.message) : '';
  return (
    <div className={styles.note} role={failed ? 'alert' : undefined}>
      <span>
        {failed ? 'Not sent. ' : ''}
        {why}
        {failed ? '' : ' Trying again by itself.'}
      </span>
      <div>
        <Button look="text" disabled={item.status === 'sending'} onClick={() => chat.retry(item.client_id)}>
          {failed ? 'Retry' : 'Retry now'}
        </Button>
        <Button look="text" onClick={() => void copyText(item.body).then(setCopied)}>
          {copied === null ? 'Copy' : copied ? 'Copied' : 'Not copied'}
        </Button>
        {failed && (
          <Button look="text" onClick={() => chat.discard(item.client_id)}>
            Discard
          </Button>
        )}
      </div>
    </div>
  );
}
