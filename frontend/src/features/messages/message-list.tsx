// The messages of one conversation, oldest above. Only the rows in view are in the document; that is why the
// list itself is not live for screen readers (scrolling would be read out): what arrives is announced by
// Announcer.
import { useEffect, useEffectEvent } from 'react';
import { Virtualizer } from 'virtua';

import { Button } from '@/components/ui/button';
import { Icon } from '@/components/ui/icon';
import { Spinner } from '@/components/ui/spinner';
import { useChatState } from '@/lib/chat/chat-context';
import { hasReceipts } from '@/lib/chat/message-rights';
import type { ConversationId, Position } from '@/lib/http/types';
import type { Place } from '@/lib/chat/places';
import type { Timeline } from '@/lib/store/timeline';

import { DayTitle } from './day-title';
import { MessageRow } from './message-row';
import styles from './message-list.module.css';
import type { Row } from './rows';
import { useFloatingDay } from './use-floating-day';
import { useListScroll } from './use-list-scroll';
import type { Back } from './use-conversation-deeds';
import type { ListScroll } from './use-list-scroll';
import { useMessageKeys } from './use-message-keys';
import { useWholeList } from './use-whole-list';

/** The height of `.top` in the style sheet: fixed, so that nothing moves when its content changes. */
const TOP_PX = 72;

interface MessageListProps {
  conversation: ConversationId;
  rows: readonly Row[];
  timeline: Timeline;
  /** The message that the address means. */
  meant: Position | null;
  /** How far the other one has read. */
  readByOther: Position;
  /** How far a device of theirs has it. */
  hasOther: Position;
  me: string;
  name: string;
  inRoom: boolean;
  /** What stands above all that there is. */
  beginning: string;
  unread: number;
  /** Where the reader was when this was last in view. */
  place: Place | null;
  onPlace: (place: Place | null) => void;
  onOlder: () => void;
  onNewer: (following: boolean) => void;
  onPresent: () => void;
  /** To the composer. */
  onWrite: () => void;
  onSeen: (position: Position) => void;
  /** Lets the view scroll to the end when something is sent. */
  control: (scroll: ListControl) => void;
  /** The way back to where one jumped from. */
  back: Back;
}

export type ListControl = Pick<ListScroll, 'toEnd' | 'show'>;

export function MessageList(props: MessageListProps) {
  const { conversation, rows, timeline, meant, readByOther, me, name, inRoom, unread } = props;
  const { scroller, virtualizer, shift, away, onScroll, onResize, onTakeover, toEnd, show, look } =
    useListScroll({
      rows,
      meant,
      topPx: TOP_PX,
      hasBefore: timeline.hasBefore && timeline.older === 'idle',
      hasAfter: timeline.hasAfter,
      onOlder: props.onOlder,
      onNewer: (following) => timeline.newer === 'idle' && props.onNewer(following),
      place: props.place,
      onPlace: props.onPlace,
      onSeen: (key) => {
        if (!attending()) return;
        const upTo = rows.findIndex((row) => row.key === key) + 1;
        const seen = rows.slice(0, upTo).findLast((row) => row.position !== null);
        if (seen?.position != null) props.onSeen(seen.position);
      },
    });
  useAttention(look);
  const floating = useFloatingDay(rows, TOP_PX, virtualizer);
  const told = useNewestOwn(conversation, rows, me, timeline.hasAfter);
  const total = timeline.hasBefore || timeline.hasAfter ? -1 : rows.length;
  const keys = useMessageKeys(rows, scroller, virtualizer, props.onWrite);
  const whole = useWholeList(rows, scroller);
  const { control } = props;
  const giveControl = useEffectEvent(() => control({ toEnd, show }));
  useEffect(() => giveControl());

  function jump() {
    toEnd();
    props.onPresent();
  }

  return (
    <div className={styles.frame}>
      <div
        ref={scroller}
        className={styles.scroller}
        role="log"
        aria-live="off"
        aria-label={inRoom ? `Messages in ${name}` : `Messages with ${name}`}
        tabIndex={0}
        onWheel={onTakeover}
        onTouchMove={onTakeover}
        onKeyDown={(event) => {
          onTakeover();
          keys.onKeyDown(event);
        }}
        onFocus={keys.onFocus}
        onBlur={keys.onBlur}
        onPointerDown={onTakeover}
      >
        <div className={styles.spacer} />
        <div className={styles.top}>
          <Top timeline={timeline} beginning={props.beginning} onRetry={props.onOlder} />
        </div>
        <Virtualizer
          ref={virtualizer}
          scrollRef={scroller}
          startMargin={TOP_PX}
          bufferSize={600}
          data={rows}
          shift={shift}
          keepMounted={[...new Set([...keys.keep, ...whole])].sort((a, b) => a - b)}
          onScroll={() => {
            onScroll();
            floating.onScroll();
          }}
          onResize={onResize}
        >
          {(row, index) => (
            <MessageRow
              key={row.key}
              row={row}
              conversation={conversation}
              mine={row.sender === me}
              name={name}
              inRoom={inRoom}
              read={row.position !== null && row.position <= readByOther}
              delivered={row.position !== null && row.position <= props.hasOther}
              receipts={row.key === told}
              meant={row.position !== null && row.position === meant}
              number={index + 1}
              total={total}
            />
          )}
        </Virtualizer>
        <div className={styles.bottom}>
          {timeline.newer === 'failed' && (
            <Button look="text" onClick={() => props.onNewer(false)}>
              Newer messages could not be loaded. Try again
            </Button>
          )}
          {!timeline.complete && <span>Checking whether newer messages are missing…</span>}
        </div>
      </div>
      {away && floating.ms !== null && (
        <p className={styles.floating} aria-hidden="true" data-testid="floating-day">
          <DayTitle ms={floating.ms} />
        </p>
      )}
      {props.back.to !== null && (
        <button type="button" className={styles.back} onClick={props.back.go}>
          <Icon name="reply" size={18} />
          Back to the answer
        </button>
      )}
      {away && props.back.to === null && (
        <button type="button" className={styles.jump} onClick={jump}>
          <Icon name="down" size={18} />
          {unread > 0 ? `${unread > 99 ? '99+' : unread} new` : 'Newest'}
        </button>
      )}
    </div>
  );
}

/** Which row is one's newest message, where one sees who has read it. */
function useNewestOwn(
  conversation: ConversationId,
  rows: readonly Row[],
  me: string,
  hasAfter: boolean,
): string | null {
  const shown = useChatState((state) => hasReceipts(state.conversations[conversation]?.room ?? null, state));
  if (!shown || hasAfter) return null;
  const own = rows.findLast(({ sender, message }) => sender === me && message && !message.event);
  return own?.message?.deleted ? null : (own?.key ?? null);
}

interface TopProps {
  timeline: Timeline;
  beginning: string;
  onRetry: () => void;
}

function Top({ timeline, beginning, onRetry }: TopProps) {
  if (timeline.older === 'failed')
    return (
      <Button look="text" onClick={onRetry}>
        Older messages could not be loaded. Try again
      </Button>
    );
  return timeline.hasBefore ? <Spinner label="Loading older messages" /> : <span>{beginning}</span>;
}

/** Somebody looks at this page. */
function attending(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus();
}

function useAttention(onAttention: () => void): void {
  const look = useEffectEvent(onAttention);
  useEffect(() => {
    const listener = () => look();
    window.addEventListener('focus', listener);
    document.addEventListener('visibilitychange', listener);
    return () => {
      window.removeEventListener('focus', listener);
      document.removeEventListener('visibilitychange', listener);
    };
  }, []);
}
