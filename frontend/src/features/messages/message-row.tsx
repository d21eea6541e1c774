// One row: a message in the look of its conversation, or what happened there, with what stands above it (day,
// unread line).
import { memo } from 'react';

import { useChatState } from '@/lib/chat/chat-context';
import { callsMe } from '@/lib/chat/mentions';
import { clockTime, fullTime } from '@/lib/time/format';

import { EventRow, QuietRow } from './event-row';
import { isEmojiOnly } from './format/detect';
import { MessageActions } from './message-actions';
import { MessageLayers } from './message-layers';
import styles from './message-row.module.css';
import { Reactions } from './reactions';
import { RoomMessage } from './room-message';
import { classes, Dividers, isAnswer, Marks, State, useMessageRow, Words } from './row-parts';
import type { MessageRowProps, MessageState } from './row-parts';
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
  const { row, mine, name, meant } = props;
  const { key, unsent, body, sentAtMs, message } = row;
  const { active, fresh, layer, setLayer, path, article } = useMessageRow(props);
  const me = useChatState((state) => state.me.id);
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
          message?.deleted && styles.gone,
          isEmojiOnly(body) && !isAnswer(row) && styles.bare,
          message && !mine && callsMe(message, me) && styles.calling,
          meant && styles.meant,
        )}
      >
        <span id={`${key}-who`} className="visually-hidden">
          {mine ? 'You' : name}:{' '}
        </span>
        <div className={styles.words}>
          <Words row={row} />
          <span className={styles.meta}>
            <Marks message={message} />
            <time dateTime={new Date(sentAtMs).toISOString()} title={fullTime(sentAtMs)}>
              {clockTime(sentAtMs)}
            </time>
            {mine && (!message?.deleted || message.waiting) && <State state={stateOf(props)} />}
          </span>
        </div>
        {active && <MessageActions row={row} path={path} onLayer={setLayer} />}
      </div>
      {message && <Reactions message={message} onLayer={setLayer} />}
      <MessageLayers row={row} path={path} layer={layer} onLayer={setLayer} />
      {unsent?.reason !== undefined && <UnsentNote item={unsent} />}
    </div>
  );
}

function stateOf({ row: { unsent, message }, read, delivered }: MessageRowProps): MessageState {
  if (unsent?.status === 'failed') return 'failed';
  if (unsent ?? message?.waiting) return 'unsent';
  return read ? 'read' : delivered ? 'delivered' : 'sent';
}
