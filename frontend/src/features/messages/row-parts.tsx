// What the rows of a list have in common, however a message looks: the lines above it, its state, and what
// shows its actions.
import { useState } from 'react';
import type { FocusEvent, PointerEvent } from 'react';

import { Icon } from '@/components/ui/icon';
import type { IconName } from '@/components/ui/icon';
import { paths } from '@/config/paths';
import type { ConversationId } from '@/lib/http/types';

import { DayTitle } from './day-title';
import styles from './message-row.module.css';
import type { Row } from './rows';
import { useLongPress } from './use-long-press';

export interface MessageRowProps {
  row: Row;
  conversation: ConversationId;
  mine: boolean;
  /** Of the other one of two. */
  name: string;
  /** The other one has read it. */
  read: boolean;
  /** The address of the page means this message. */
  meant: boolean;
  /** Its number among those that are loaded, and how many there are; -1 when nobody knows. */
  number: number;
  total: number;
}

export function useMessageRow({ row, conversation, mine, number, total }: MessageRowProps) {
  const { key, unsent, position } = row;
  const [active, setActive] = useState(false);
  const [fresh] = useState(unsent !== null);
  const [sheet, setSheet] = useState(false);
  const press = useLongPress(() => setSheet(true));
  return {
    active,
    fresh,
    sheet,
    setSheet,
    /** Its address; null while it is unsent. */
    path: position !== null ? paths.message(conversation, position) : null,
    /** For the element of the message. */
    article: {
      role: 'article',
      'aria-labelledby': `${key}-who ${key}-body`,
      tabIndex: -1,
      'data-testid': 'message',
      'data-key': key,
      'data-mine': mine || undefined,
      'data-state': unsent ? unsent.status : 'accepted',
      'aria-posinset': number,
      'aria-setsize': total,
      ...press,
      // A finger leaves before its click comes, which would take the action from under it: focus shows them
      // there.
      onPointerEnter: ({ pointerType }: PointerEvent) => pointerType !== 'touch' && setActive(true),
      onPointerLeave: ({ pointerType }: PointerEvent) => pointerType !== 'touch' && setActive(false),
      onFocus: () => setActive(true),
      onBlur: (event: FocusEvent) => setActive(event.currentTarget.contains(event.relatedTarget)),
    },
  };
}

export function Dividers({ row }: { row: Row }) {
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

export type MessageState = keyof typeof STATES;

const STATES = {
  failed: ['alert', 'Not sent'],
  unsent: ['clock', 'Sending'],
  sent: ['tick', 'Sent'],
  read: ['ticks', 'Read'],
} satisfies Record<string, [IconName, string]>;

export function State({ state }: { state: MessageState }) {
  const [icon, label] = STATES[state];
  return (
    <span role="img" aria-label={label} title={label} data-state={state}>
      <Icon name={icon} size={14} />
    </span>
  );
}

export const classes = (...names: (string | false | undefined)[]) => names.filter(Boolean).join(' ');
