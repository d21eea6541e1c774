// One row: a message in the look of its conversation, or what happened there, with what stands above it (day,
// unread line).
import { memo } from 'react';

import { clockTime, fullTime } from '@/lib/time/format';

import { EventRow, QuietRow } from './event-row';
import { isEmojiOnly } from './format/detect';
import { MessageBody } from './format/message-body';
import { MessageActions, MessageSheet } from './message-actions';
import styles from './message-row.module.css';
import { RoomMessage } from './room-message';
import { classes, Dividers, State, useMessageRow } from './row-parts';
import type { MessageRowProps } from './row-parts';
import { UnsentNote } from './unsent-note';

export const MessageRow = memo(function MessageRow({
  inRoom,
  ...props
}: MessageRowProps & { inRoom: boolean }) {
  const { row } = props;
  if (row.events.length > 0) return <EventRow {...props} />;
  if (row.quiet) return <QuietRow {...props}>{row.body}</QuietRow>;
  return inRoom ? <RoomMessage {...props} /> : <Bubble {...props} />;
});

/** Between two people: at the side of whoever wrote it. */
function Bubble(props: MessageRowProps) {
  const { row, mine, name, read, meant } = props;
  const { key, unsent, body, sentAtMs } = row;
  const { active, fresh, sheet, setSheet, path, article } = useMessageRow(props);
  const failed = unsent?.status === 'failed';
  return (
    <div className={classes(styles.row, mine ? styles.mine : styles.theirs, row.startsRun && styles.first)}>
      <Dividers row={row} />
      <div
        {...article}
        className={classes(
          styles.bubble,
          row.endsRun && styles.last,
          fresh && styles.fresh,
          failed && styles.failed,
          isEmojiOnly(body) && styles.bare,
          meant && styles.meant,
        )}
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
}
