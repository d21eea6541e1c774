// Nobody's words: what happened in the room, or what this page does not know. A line that stands for several
// events can be opened.
import { useId, useState } from 'react';
import type { ReactNode } from 'react';

import { Button } from '@/components/ui/button';
import { useChatState } from '@/lib/chat/chat-context';
import { eventText } from '@/lib/chat/event-text';
import type { TimelineEvent } from '@/lib/http/types';
import { clockTime } from '@/lib/time/format';

import styles from './event-row.module.css';
import rowStyles from './message-row.module.css';
import { classes, Dividers } from './row-parts';
import type { MessageRowProps } from './row-parts';

type QuietRowProps = Pick<MessageRowProps, 'row' | 'number' | 'total'> & { children: ReactNode };

export function QuietRow({ row, number, total, children }: QuietRowProps) {
  return (
    <div className={classes(rowStyles.row, row.startsRun && rowStyles.first)}>
      <Dividers row={row} />
      <div
        className={styles.quiet}
        role="article"
        tabIndex={-1}
        data-testid="quiet-line"
        data-key={row.key}
        aria-posinset={number}
        aria-setsize={total}
      >
        {children}
      </div>
    </div>
  );
}

export function EventRow(props: Omit<QuietRowProps, 'children'>) {
  const { events, sentAtMs } = props.row;
  const id = useId();
  const [open, setOpen] = useState(false);
  return (
    <QuietRow {...props}>
      <span dir="auto">
        <EventText events={events} />
      </span>{' '}
      {events.length > 1 ? (
        <Button
          look="text"
          className={styles.more}
          aria-expanded={open}
          aria-controls={open ? id : undefined}
          onClick={() => setOpen(!open)}
        >
          {open ? 'Less' : 'Details'}
        </Button>
      ) : (
        <Time ms={sentAtMs} />
      )}
      {open && (
        <ul id={id} className={styles.each}>
          {events.map((event) => (
            <li key={event.id} dir="auto">
              <EventText events={[event]} /> <Time ms={Date.parse(event.at)} />
            </li>
          ))}
        </ul>
      )}
    </QuietRow>
  );
}

function EventText({ events }: { events: readonly TimelineEvent[] }) {
  return useChatState((state) => eventText(events, state));
}

function Time({ ms }: { ms: number }) {
  return <time dateTime={new Date(ms).toISOString()}>{clockTime(ms)}</time>;
}
