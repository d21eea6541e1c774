// One message with what stands above it (day, unread line) and its state.
import { memo, useState } from 'react';

import { Icon } from '@/components/ui/icon';
import type { IconName } from '@/components/ui/icon';
import { paths } from '@/config/paths';
import type { ConversationId } from '@/lib/http/types';
import { clockTime, fullTime } from '@/lib/time/format';

import { isEmojiOnly } from './format/detect';
import { MessageBody } from './format/message-body';
import { DayTitle } from './day-title';
import { MessageActions, MessageSheet } from './message-actions';
import styles from './message-row.module.css';
import type { Row } from './rows';
import { useLongPress } from './use-long-press';
import { UnsentNote } from './unsent-note';

interface MessageRowProps {
  row: Row;
  conversation: ConversationId;
  mine: boolean;
  name: string;
  /** The other one has read it. */
  read: boolean;
  /** The address of the page means this message. */
  meant: boolean;
  /** Its number among those that are loaded, and how many there are; -1 when nobody knows. */
  number: number;
  total: number;
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { row, conversation, mine, name, read, meant, number, total } = props;
  const { key, unsent, body, sentAtMs, position } = row;
  const [active, setActive] = useState(false);
  const [fresh] = useState(unsent !== null);
  const [sheet, setSheet] = useState(false);
  const press = useLongPress(() => setSheet(true));
  const path = position !== null ? paths.message(conversation, position) : null;
  const failed = unsent?.status === 'failed';
  if (row.quiet)
    return (
      <div className={classes(styles.row, row.startsRun && styles.first)}>
        <Dividers row={row} />
        <p
          className={styles.quiet}
          role="article"
          tabIndex={-1}
          data-testid="quiet-line"
          data-key={key}
          aria-posinset={number}
          aria-setsize={total}
        >
          {body}
        </p>
      </div>
    );
  return (
    <div className={classes(styles.row, mine ? styles.mine : styles.theirs, row.startsRun && styles.first)}>
      <Dividers row={row} />
      <div
        className={classes(
          styles.bubble,
          row.endsRun && styles.last,
          fresh && styles.fresh,
          failed && styles.failed,
          isEmojiOnly(body) && styles.bare,
          meant && styles.meant,
        )}
        role="article"
        aria-labelledby={`${key}-who ${key}-body`}
        tabIndex={-1}
        data-testid="message"
        data-key={key}
        data-mine={mine || undefined}
        aria-posinset={number}
        aria-setsize={total}
        {...press}
        data-state={unsent ? unsent.status : 'accepted'}
        // A finger leaves before its click comes, which would take the action from under it: focus shows them
        // there.
        onPointerEnter={({ pointerType }) => pointerType !== 'touch' && setActive(true)}
        onPointerLeave={({ pointerType }) => pointerType !== 'touch' && setActive(false)}
        onFocus={() => setActive(true)}
        onBlur={(event) => setActive(event.currentTarget.contains(event.relatedTarget))}
      >
        <span id={`${key}-who`} className="visually-hidden">
          {mine ? 'You' : name}:{' '}
        </span>
        <div className={styles.words}>
          <MessageBody id={`${key}-body`} text={body} />
          <span className={styles.meta}>
            <time dateTime={new Date(sentAtMs).toISOString()} title={fullTime(sentAtMs)}>
              {clockTime(sentAtMs)}
            </time>
            {mine && <State state={failed ? 'failed' : unsent ? 'unsent' : read ? 'read' : 'sent'} />}
          </span>
        </div>
        {active && <MessageActions body={body} path={path} onMore={() => setSheet(true)} />}
      </div>
      {sheet && <MessageSheet body={body} path={path} onClose={() => setSheet(false)} />}
      {unsent?.reason !== undefined && <UnsentNote item={unsent} />}
    </div>
  );
});

function Dividers({ row }: { row: Row }) {
  return (
    <>
      {row.startsDay && (
        <p className={styles.day}>
          <DayTitle ms={row.sentAtMs} />
        </p>
      )}
      {row.startsUnread && (
        <p className={styles.unread} data-testid="unread-divider">
          <span>New messages</span>
        </p>
      )}
    </>
  );
}

const STATES = {
  failed: ['alert', 'Not sent'],
  unsent: ['clock', 'Sending'],
  sent: ['tick', 'Sent'],
  read: ['ticks', 'Read'],
} satisfies Record<string, [IconName, string]>;

function State({ state }: { state: keyof typeof STATES }) {
  const [icon, label] = STATES[state];
  return (
    <span role="img" aria-label={label} title={label} data-state={state}>
      <Icon name={icon} size={14} />
    </span>
  );
}

const classes = (...names: (string | false | undefined)[]) => names.filter(Boolean).join(' ');
