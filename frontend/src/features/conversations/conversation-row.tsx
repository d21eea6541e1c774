// One conversation in the list. It subscribes to its own state only: a message elsewhere does not render it.
import { useEffect } from 'react';
import { Link } from 'wouter';
import { useShallow } from 'zustand/react/shallow';

import { AvailabilityText } from '@/components/ui/availability';
import { Avatar } from '@/components/ui/avatar';
import { Icon } from '@/components/ui/icon';
import { StatusText } from '@/components/ui/status-text';
import { MentionBadge, UnreadBadge } from '@/components/ui/unread-badge';
import { paths } from '@/config/paths';
import { authorName } from '@/lib/chat/author-name';
import { useChat, useChatState, useDraft } from '@/lib/chat/chat-context';
import { useFace } from '@/lib/chat/conversation-face';
import { eventText } from '@/lib/chat/event-text';
import { useSeen } from '@/lib/chat/use-presence';
import type { TimelineEvent, UserId } from '@/lib/http/types';
import type { ConversationEntry } from '@/lib/store/conversation-entry';
import { settingsOf } from '@/lib/tell/state';
import { countsOf } from '@/lib/tell/verdict';
import { itemOf, namedIn } from '@/lib/timeline/event';
import { fullTime, shortTime } from '@/lib/time/format';
import { useToday } from '@/lib/time/periods';

import styles from './conversation-row.module.css';
import { previewOf } from './preview';
import type { Preview } from './preview';

const NONE: never[] = [];

export function ConversationRow({ id, chosen }: { id: string; chosen: boolean }) {
  const entry = useChatState((state) => state.conversations[id]);
  return entry ? <Row entry={entry} chosen={chosen} /> : null;
}

function Row({ entry, chosen }: { entry: ConversationEntry; chosen: boolean }) {
  const chat = useChat();
  const { id, unread, mentions } = entry;
  const at = entry.last_message?.sent_at ?? entry.at;
  const me = useChatState((state) => state.me.id);
  const { name, person, alike, notes, avatar } = useFace(entry);
  const { muted } = useChatState((state) => settingsOf(state.tell, id));
  const calls = countsOf(entry, muted).calls;
  const seen = useSeen(person && !notes ? person.id : null);
  const unsent = useChatState((state) => state.outbox[id] ?? NONE);
  const draft = useDraft(id);
  // While the conversation is open its draft is in view already.
  const preview = useChatState(
    useShallow((state) => previewOf(entry, me, chosen ? '' : draft, unsent, state)),
  );
  const last = entry.last_message;
  useEffect(() => chat.names.need(last?.mentions ?? []), [chat, last]);
  return (
    <Link
      href={paths.conversation(id)}
      className={[styles.row, chosen && styles.chosen, calls > 0 && styles.unread].filter(Boolean).join(' ')}
      aria-current={chosen ? 'page' : undefined}
    >
      <Avatar {...avatar} availability={seen?.state} />
      <span className={styles.name} dir="auto">
        {name}
        {alike && person && <span className={styles.username}> @{person.username}</span>}
        <StatusText status={seen?.status} brief />
        <AvailabilityText availability={seen?.state} />
      </span>
      <span className={styles.when}>
        {muted && (
          <>
            <Icon name="bellOff" size={14} />
            <span className="visually-hidden">Muted, </span>
          </>
        )}
        {at !== '' && <Time sentAt={at} />}
      </span>
      <span className={styles.preview} dir="auto">
        <PreviewText preview={preview} inRoom={entry.kind === 'room'} />
      </span>
      <span className={styles.badges}>
        <MentionBadge count={mentions} />
        <UnreadBadge count={unread} muted={muted} />
      </span>
    </Link>
  );
}

function Time({ sentAt }: { sentAt: string }) {
  const ms = Date.parse(sentAt);
  return (
    <time className={styles.time} dateTime={sentAt} title={fullTime(ms)}>
      {shortTime(ms, useToday())}
    </time>
  );
}

function PreviewText({ preview, inRoom }: { preview: Preview; inRoom: boolean }) {
  switch (preview.kind) {
    case 'draft':
      return (
        <>
          <span className={styles.draft}>Draft:</span> {preview.text}
        </>
      );
    case 'failed':
      return (
        <>
          <span className={styles.draft}>Not sent:</span> {preview.text}
        </>
      );
    case 'sending':
      return (
        <>
          <Icon name="clock" size={14} /> {preview.text}
        </>
      );
    case 'mine':
      return <>You: {preview.text}</>;
    case 'author':
      return <Said by={preview.author} text={preview.text} />;
    case 'event':
      return <Happened event={preview.event} />;
    case 'empty':
      return inRoom ? 'Nobody has written yet' : '';
    default:
      return preview.text;
  }
}

function Said({ by, text }: { by: UserId; text: string }) {
  const chat = useChat();
  const name = useChatState((state) => authorName(state, by));
  useEffect(() => chat.names.need([by]), [chat, by]);
  return (
    <>
      <bdi>{name}</bdi>: {text}
    </>
  );
}

function Happened({ event }: { event: TimelineEvent }) {
  const chat = useChat();
  const text = useChatState((state) => eventText([event], state));
  useEffect(() => chat.names.need(namedIn(itemOf(event))), [chat, event]);
  return text;
}
