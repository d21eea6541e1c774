// A message in a room: over the whole width, because there names matter more than sides. Who wrote it, with
// their picture and the time, stands once above what they said in one breath.
import { Link } from 'wouter';

import { Avatar } from '@/components/ui/avatar';
import { paths } from '@/config/paths';
import { authorName } from '@/lib/chat/author-name';
import { useChatState } from '@/lib/chat/chat-context';
import { callsMe } from '@/lib/chat/mentions';
import { clockTime, fullTime } from '@/lib/time/format';

import { isEmojiOnly } from './format/detect';
import { MessageActions } from './message-actions';
import { MessageLayers } from './message-layers';
import { Reactions } from './reactions';
import { ReadBy } from './read-by';
import styles from './room-message.module.css';
import { classes, Dividers, isAnswer, Marks, State, useMessageRow, Words } from './row-parts';
import type { MessageRowProps } from './row-parts';
import { UnsentNote } from './unsent-note';

export function RoomMessage(props: MessageRowProps) {
  const { row, mine, meant, receipts } = props;
  const { key, sender, unsent, body, sentAtMs, startsRun, message } = row;
  const name = useChatState((state) => authorName(state, sender));
  const me = useChatState((state) => state.me.id);
  const { active, fresh, layer, setLayer, path, article } = useMessageRow(props);
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
          isEmojiOnly(body) && !isAnswer(row) && styles.bare,
          message && !mine && callsMe(message, me) && styles.calling,
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
          <Words row={row} /> <Marks message={message} />
          {(unsent ?? message?.waiting) && (
            <span className={styles.state}>
              <State state={failed ? 'failed' : 'unsent'} />
            </span>
          )}
          {message && <Reactions message={message} onLayer={setLayer} />}
          {message && receipts && <ReadBy message={message} onOpen={() => setLayer({ kind: 'readers' })} />}
        </div>
        {active && <MessageActions row={row} path={path} onLayer={setLayer} />}
      </div>
      <MessageLayers row={row} path={path} layer={layer} onLayer={setLayer} />
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
