// One message with what stands above it (day, unread line) and its state.
import { memo } from 'react';

import { Icon } from '@/components/ui/icon';
import { clockTime, dayTitle, fullTime } from '@/lib/time/format';

import { LinkedText } from './linked-text';
import styles from './message-row.module.css';
import type { Row } from './rows';
import { UnsentNote } from './unsent-note';

interface MessageRowProps {
  row: Row;
  mine: boolean;
  name: string;
}

export const MessageRow = memo(function MessageRow({ row, mine, name }: MessageRowProps) {
  const { unsent, body, sentAtMs } = row;
  const troubled = unsent?.reason !== undefined;
  return (
    <div
      className={[styles.row, mine ? styles.mine : styles.theirs, row.startsRun && styles.first]
        .filter(Boolean)
        .join(' ')}
    >
      {row.startsDay && (
        <p className={styles.day}>
          <span>{dayTitle(sentAtMs)}</span>
        </p>
      )}
      {row.startsUnread && (
        <p className={styles.unread} data-testid="unread-divider">
          <span>New messages</span>
        </p>
      )}
      <div
        className={[styles.bubble, row.endsRun && styles.last, unsent?.status === 'failed' && styles.failed]
          .filter(Boolean)
          .join(' ')}
        data-testid="message"
        data-state={unsent ? unsent.status : 'accepted'}
      >
        <span className="visually-hidden">{mine ? 'You' : name}: </span>
        <span className={styles.body} dir="auto">
          <LinkedText text={body} />
        </span>
        <span className={styles.meta}>
          <time dateTime={new Date(sentAtMs).toISOString()} title={fullTime(sentAtMs)}>
            {clockTime(sentAtMs)}
          </time>
          {mine && <State unsent={unsent !== null} failed={unsent?.status === 'failed'} />}
        </span>
      </div>
      {unsent && troubled && <UnsentNote item={unsent} />}
    </div>
  );
});

function State({ unsent, failed }: { unsent: boolean; failed: boolean }) {
  const [icon, label] = failed
    ? (['alert', 'Not sent'] as const)
    : unsent
      ? (['clock', 'Sending'] as const)
      : (['tick', 'Sent'] as const);
  return (
    <span role="img" aria-label={label} title={label}>
      <Icon name={icon} size={14} />
    </span>
  );
}
