// A message out of its conversation, in a list: who said what and when, and the way to its place.
import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';

import { paths } from '@/config/paths';
import { authorName } from '@/lib/chat/author-name';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import type { Message } from '@/lib/http/types';
import { dayAndTime, fullTime } from '@/lib/time/format';
import { useToday } from '@/lib/time/periods';

import { MessageBody } from './format/message-body';
import styles from './message-excerpt.module.css';

interface MessageExcerptProps {
  message: Message;
  /** Behind the name, such as the conversation it stands in. */
  where?: ReactNode;
  /** What else can be done with it. */
  children?: ReactNode;
  onShown?: () => void;
}

export function MessageExcerpt({ message, where, children, onShown }: MessageExcerptProps) {
  const chat = useChat();
  const { conversation, id, position, body = '', sender, sent_at } = message;
  const name = useChatState((state) => authorName(state, sender));
  const today = useToday();
  const ms = Date.parse(sent_at);
  useEffect(() => chat.names.need([sender]), [chat, sender]);
  return (
    <>
      <p className={styles.head}>
        <strong id={`excerpt-${id}-who`} dir="auto">
          {name}
        </strong>{' '}
        {where}{' '}
        <time dateTime={sent_at} title={fullTime(ms)}>
          {dayAndTime(ms, today)}
        </time>
      </p>
      <div className={styles.words}>
        <MessageBody id={`excerpt-${id}`} text={body} />
      </div>
      <p className={styles.acts}>
        <Link
          href={paths.message(conversation, position)}
          data-row
          aria-describedby={`excerpt-${id}-who excerpt-${id}`}
          onClick={onShown}
        >
          Show in conversation
        </Link>
        {children}
      </p>
    </>
  );
}
