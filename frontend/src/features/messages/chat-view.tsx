// One conversation: header, messages, composer. The same component before and after the first message made it
// exist, so that nothing is lost of what is being typed.
import { useEffect, useMemo, useRef } from 'react';
import { Link, useLocation } from 'wouter';

import { Avatar } from '@/components/ui/avatar';
import { Blank } from '@/components/ui/blank';
import { Button } from '@/components/ui/button';
import { Envelope } from '@/components/ui/envelope';
import { Icon } from '@/components/ui/icon';
import { MessagesSkeleton } from '@/components/ui/skeleton';
import { paths } from '@/config/paths';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { spokenName, useFace } from '@/lib/chat/conversation-face';
import { NOTES } from '@/lib/chat/person-name';
import type { ConversationId, Position, UserId } from '@/lib/http/types';
import { LOADING } from '@/lib/store/timeline';

import { Announcer } from './announcer';
import styles from './chat-view.module.css';
import { Composer } from './composer';
import { MessageList } from './message-list';
import { rowsOf } from './rows';
import { useUnreadLine } from './use-unread-line';

interface ChatViewProps {
  conversation: ConversationId;
  /** Whom the address names: the conversation need not exist yet. */
  to: UserId | null;
  /** The message that the address means. */
  position: Position | null;
  /** While the conversation is not known: whether anything was written in it. */
  begun: 'asking' | 'no' | 'failed';
  /** Asks that again. */
  onRetry: () => void;
}

const NONE: never[] = [];
/** Shown of a conversation that is not known. Nothing was written yet: there is nothing to load. */
const UNKNOWN = {
  asking: LOADING,
  no: { ...LOADING, status: 'ready' as const },
  failed: { ...LOADING, status: 'failed' as const },
};

export function ChatView({ conversation, to, position, begun, onRetry }: ChatViewProps) {
  const chat = useChat();
  const me = useChatState((state) => state.me.id);
  const entry = useChatState((state) => state.conversations[conversation]);
  const known = entry !== undefined;
  const timeline = useChatState((state) =>
    known ? (state.timelines[conversation] ?? LOADING) : UNKNOWN[begun],
  );
  const unsent = useChatState((state) => state.outbox[conversation] ?? NONE);
  const face = useFace(
    entry ?? { id: conversation, kind: 'direct', others: to === null ? NONE : [to], room: null },
  );
  const { name, person, notes } = face;
  const other = entry?.kind === 'room' ? null : (person?.id ?? to);
  const line = useUnreadLine(entry);
  const list = useRef<{ toEnd: () => void }>(null);
  const composer = useRef<HTMLTextAreaElement>(null);
  const [, navigate] = useLocation();
  const rows = useMemo(
    () => rowsOf(timeline.messages, timeline.hasAfter ? NONE : unsent, me, line.after, !timeline.hasBefore),
    [timeline.messages, timeline.hasBefore, timeline.hasAfter, unsent, me, line.after],
  );

  useEffect(() => {
    if (!known) return;
    chat.history.open(conversation, position, chat.places.of(conversation) !== null);
    chat.conversations.refresh(conversation);
    return () => chat.history.close(conversation);
  }, [chat, conversation, known, position]);
  /** Nothing is in memory, although something was written: a gap reached back beyond the window. */
  const missing = rows.length === 0 && timeline.status === 'ready' && timeline.hasAfter;
  useEffect(() => {
    if (missing) void chat.history.newer(conversation);
  }, [chat, missing, conversation]);

  /** To the newest message, away from the one that the address means. */
  function toPresent() {
    if (!known) return;
    if (position !== null) navigate(paths.conversation(conversation), { replace: true });
    if (timeline.hasAfter) void chat.history.present(conversation);
  }

  function sent() {
    line.clear();
    list.current?.toEnd();
    toPresent();
  }

  return (
    <section className={styles.chat} aria-label={name}>
      <header className={styles.header}>
        <Link href={paths.home} className={styles.back} aria-label="Back to conversations">
          <Icon name="back" />
        </Link>
        <Avatar {...face.avatar} size={40} />
        <div className={styles.names}>
          <h2 dir="auto">{name}</h2>
          {person && <p>@{person.username}</p>}
        </div>
      </header>
      {rows.length > 0 ? (
        <MessageList
          conversation={conversation}
          rows={rows}
          timeline={timeline}
          meant={position}
          readByOther={entry?.other_last_read ?? 0}
          me={me}
          name={name}
          unread={entry?.unread ?? 0}
          place={chat.places.of(conversation)}
          onPlace={(place) => known && chat.places.set(conversation, place)}
          onOlder={() => known && void chat.history.older(conversation)}
          onNewer={(following) => known && void chat.history.newer(conversation, following)}
          onPresent={toPresent}
          onWrite={() => composer.current?.focus()}
          onSeen={(position) => chat.markRead(conversation, position)}
          control={(control) => {
            list.current = control;
          }}
        />
      ) : (
        <div className={styles.nothing}>
          <NoMessages
            status={missing ? (timeline.newer === 'failed' ? 'failed' : 'loading') : timeline.status}
            name={name}
            self={notes}
            onRetry={() => (known ? chat.history.open(conversation, position) : onRetry())}
          />
        </div>
      )}
      <Announcer newest={entry?.last_message ?? null} me={me} name={spokenName(face)} />
      <Composer
        area={composer}
        destination={{ conversation, to: other }}
        name={notes ? 'yourself' : name}
        onSent={sent}
      />
    </section>
  );
}

interface NoMessagesProps {
  status: 'loading' | 'ready' | 'failed';
  name: string;
  self: boolean;
  onRetry: () => void;
}

function NoMessages({ status, name, self, onRetry }: NoMessagesProps) {
  if (status === 'loading') return <MessagesSkeleton label="Loading messages" />;
  if (status === 'failed')
    return (
      <Blank title="The messages could not be loaded">
        <p>What you write is kept, and sent when the server is back.</p>
        <Button onClick={onRetry}>Try again</Button>
      </Blank>
    );
  return self ? (
    <Blank title={NOTES} art={<Envelope to="myself" />}>
      <p>Only you can read what you write here.</p>
    </Blank>
  ) : (
    <Blank title={`Write the first letter to ${name}`} art={<Envelope to={name} />}>
      <p>If they are not here now, it waits for them.</p>
    </Blank>
  );
}
