// A message in a room: over the whole width, because there names matter more than sides. Who wrote it, with
// their picture and the time, stands once above what they said in one breath.
import { Link } from 'wouter';

import { Avatar } from '@/components/ui/avatar';
import { paths } from '@/config/paths';
import { authorName } from '@/lib/chat/author-name';
import { useChatState } from '@/lib/chat/chat-context';
import { clockTime, fullTime } from '@/lib/time/format';

import { isEmojiOnly } from './format/detect';
import { MessageBody } from './format/message-body';
import { MessageActions, MessageSheet } from './message-actions';
import styles from './room-message.module.css';
import { classes, Dividers, State, useMessageRow } from './row-parts';
import type { MessageRowProps } from './row-parts';
import { UnsentNote } from './unsent-note';

export function RoomMessage(props: MessageRowProps) {
  const { row, mine, meant } = props;
  const { key, sender, unsent, body, sentAtMs, startsRun } = row;
  const name = useChatState((state) => authorName(state, sender));
  const { active, fresh, sheet, setSheet, path, article } = useMessageRow(props);
  const failed = unsent?.status === 'failed';
  return (
    <div className={classes(styles.row, startsRun && styles.first)}>
      <Dividers row={row} />
      <div
        {...article}
        data-room
        className={classes(
          styles.message,
          fresh && styles.fresh,
          failed && styles.failed,
          isEmojiOnly(body) && styles.bare,
          meant && styles.meant,
        )}
      >
        {startsRun ? (
          <>
            <span className={styles.avatar}>
              <Avatar id={sender} name={name} size={36} />
            </span>
            <p className={styles.head}>
              <Author id={sender} name={name} mine={mine} labels={`${key}-who`} />
              <Time ms={sentAtMs} />
            </p>
          </>
        ) : (
          <span className={styles.beside}>
            <span id={`${key}-who`} className="visually-hidden">
              {name}:{' '}
            </span>
            {unsent === null && <Time ms={sentAtMs} />}
          </span>
        )}
        <div className={styles.words}>
          <MessageBody id={`${key}-body`} text={body} />
          {unsent && (
            <span className={styles.state}>
              <State state={failed ? 'failed' : 'unsent'} />
            </span>
          )}
        </div>
        {active && <MessageActions body={body} path={path} onMore={() => setSheet(true)} />}
      </div>
      {sheet && <MessageSheet body={body} path={path} onClose={() => setSheet(false)} />}
      {unsent?.reason !== undefined && <UnsentNote item={unsent} />}
    </div>
  );
}

/** Leads to the conversation with them. */
function Author({ id, name, mine, labels }: { id: string; name: string; mine: boolean; labels: string }) {
  return (
    <strong id={labels} className={styles.author} dir="auto">
      {mine ? (
        name
      ) : (
        <Link href={paths.person(id)} tabIndex={-1}>
          {name}
        </Link>
      )}
    </strong>
  );
}

function Time({ ms }: { ms: number }) {
  return (
    <time className={styles.time} dateTime={new Date(ms).toISOString()} title={fullTime(ms)}>
      {clockTime(ms)}
    </time>
  );
}
