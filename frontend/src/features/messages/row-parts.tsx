// What the rows of a list have in common, however a message looks: the lines above it, its state, and what
// shows its actions.
import { useState } from 'react';
import type { FocusEvent, KeyboardEvent, PointerEvent } from 'react';

import { Icon } from '@/components/ui/icon';
import type { IconName } from '@/components/ui/icon';
import { paths } from '@/config/paths';
import type { ConversationId, Message } from '@/lib/http/types';

import { DELETED_TEXT } from '@/lib/chat/message-text';

import { DayTitle } from './day-title';
import { MessageBody } from './format/message-body';
import styles from './message-row.module.css';
import extras from './message-extras.module.css';
import type { Layer } from './message-layers';
import type { Row } from './rows';
import { Quote } from './quote';
import { useLongPress } from './use-long-press';

export interface MessageRowProps {
  row: Row;
  conversation: ConversationId;
  mine: boolean;
  /** Of the other one of two. */
  name: string;
  /** The other one has read it. */
  read: boolean;
  /** It has come to a device of theirs. */
  delivered: boolean;
  /** The address of the page means this message. */
  meant: boolean;
  /** Below it stands who has read it. */
  receipts: boolean;
  /** Its number among those that are loaded, and how many there are; -1 when nobody knows. */
  number: number;
  total: number;
}

export function useMessageRow({ row, conversation, mine, number, total }: MessageRowProps) {
  const { key, unsent, position } = row;
  const [active, setActive] = useState(false);
  const [fresh] = useState(unsent !== null);
  const [layer, setLayer] = useState<Layer | null>(null);
  const press = useLongPress(() => setLayer({ kind: 'sheet' }));
  return {
    active,
    fresh,
    layer,
    setLayer,
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
      // By keyboard, what a pointer finds beside it.
      onKeyDown: (event: KeyboardEvent) => {
        if (event.key !== 'Enter' || event.target !== event.currentTarget) return;
        event.preventDefault();
        setLayer({ kind: 'sheet' });
      },
      onBlur: (event: FocusEvent) => setActive(event.currentTarget.contains(event.relatedTarget)),
    },
  };
}

/** What it answers, and its words; or that there are none any more. */
export function Words({ row: { key, message, unsent, body, position } }: { row: Row }) {
  const target = message?.reply_to ?? unsent?.reply_to;
  if (message?.deleted)
    return (
      <span id={`${key}-body`} className={extras.deleted} data-testid="deleted">
        {DELETED_TEXT}
        {message.deleted.reason !== undefined && ` “${message.deleted.reason}”`}
      </span>
    );
  return (
    <>
      {target && <Quote target={target} from={position} />}
      <MessageBody id={`${key}-body`} text={body} />
    </>
  );
}

export const isAnswer = ({ message, unsent }: Row): boolean =>
  (message?.reply_to ?? unsent?.reply_to) !== undefined;

/** Beside the time: what became of it. */
export function Marks({ message }: { message: Message | null }) {
  if (!message || message.deleted) return null;
  return (
    <>
      {message.pinned !== undefined && (
        <span role="img" aria-label="Pinned" title="Pinned" className={extras.pinned}>
          <Icon name="pin" size={14} />
        </span>
      )}
      {message.edited !== undefined && <span className={extras.edited}>(edited)</span>}
    </>
  );
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
  delivered: ['ticks', 'Delivered'],
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

export const classes = (...names: (string | false | null | undefined)[]) => names.filter(Boolean).join(' ');
