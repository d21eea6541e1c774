// One conversation: header, messages, composer. The same component before and after the first message made it
// exist, so that nothing is lost of what is being typed.
import { useEffect, useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';

import { paths } from '@/config/paths';
import { authorName } from '@/lib/chat/author-name';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { spokenName, useFace } from '@/lib/chat/conversation-face';
import type { ConversationId, Position, Room, UserId } from '@/lib/http/types';
import { LOADING } from '@/lib/store/timeline';

import { AbsentNote } from './absent-note';
import { Announcer } from './announcer';
import { ChatHeader } from './chat-header';
import type { Bell, Details } from './chat-header';
import styles from './chat-view.module.css';
import { Composer } from './composer';
import { DeedsProvider } from './deeds';
import { FailedDeeds } from './failed-deeds';
import { MessageList } from './message-list';
import type { ListControl } from './message-list';
import { NoMessages } from './no-messages';
import { rowsOf } from './rows';
import { SettledAnnouncer } from './settled-announcer';
import { TypingLine } from './typing-line';
import { useConversationDeeds } from './use-conversation-deeds';
import { useRoomNames } from './use-room-names';
import { useUnreadLine } from './use-unread-line';
import { withPending } from './with-pending';

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
  /** What a room has beside its messages. */
  details: Details | null;
  /** What is pinned, beside it too; null where nothing can be. */
  pins: Details | null;
  /** What one is told of it; null where nobody keeps that. */
  bell: Bell | null;
}

const NONE: never[] = [];
const SINCE_JOIN = 'What was written before you came is not shown.';

/** Shown of a conversation that is not known. Nothing was written yet: there is nothing to load. */
const UNKNOWN = {
  asking: LOADING,
  no: { ...LOADING, status: 'ready' as const },
  failed: { ...LOADING, status: 'failed' as const },
};

export function ChatView(props: ChatViewProps) {
  const { conversation, to, position, begun, onRetry, details, pins, bell } = props;
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
  const inRoom = entry?.kind === 'room';
  const room = entry?.room ?? null;
  const other = inRoom ? null : (person?.id ?? to);
  const newest = entry?.last_message ?? null;
  const author = useChatState((state) => (inRoom && newest ? authorName(state, newest.sender) : null));
  const closed = room && whyClosed(room);
  const line = useUnreadLine(entry);
  const composer = useRef<HTMLTextAreaElement>(null);
  const pending = useChatState((state) => state.pending[conversation] ?? NONE);
  const list = useRef<ListControl>(null);
  const deeds = useConversationDeeds(conversation, position, list, () => composer.current?.focus());
  const [, navigate] = useLocation();
  /** Whom the last words named. */
  const [named, setNamed] = useState<readonly UserId[]>(NONE);
  const messages = useMemo(
    () => withPending(timeline.messages, pending, me),
    [timeline.messages, pending, me],
  );
  const rows = useMemo(
    () => rowsOf(messages, timeline.hasAfter ? NONE : unsent, me, line.after, !timeline.hasBefore),
    [messages, timeline.hasBefore, timeline.hasAfter, unsent, me, line.after],
  );

  useRoomNames(inRoom ? conversation : null, timeline.messages);
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

  /** The focus goes back to where one writes. */
  function leaveNote() {
    setNamed(NONE);
    composer.current?.focus();
  }

  function sent() {
    line.clear();
    list.current?.toEnd();
    toPresent();
  }

  return (
    <DeedsProvider value={deeds.all}>
      <section className={styles.chat} aria-label={name}>
        <ChatHeader face={face} room={room} details={details} pins={pins} bell={notes ? null : bell} />
        {rows.length > 0 ? (
          <MessageList
            conversation={conversation}
            rows={rows}
            timeline={timeline}
            meant={position}
            readByOther={entry?.other_last_read ?? 0}
            hasOther={entry?.other_has ?? 0}
            me={me}
            name={name}
            inRoom={inRoom}
            beginning={room?.history === 'since_join' ? SINCE_JOIN : 'This is where it begins.'}
            unread={entry?.unread ?? 0}
            place={chat.places.of(conversation)}
            onPlace={(place) => known && chat.places.set(conversation, place)}
            onOlder={() => known && void chat.history.older(conversation)}
            onNewer={(following) => known && void chat.history.newer(conversation, following)}
            onPresent={toPresent}
            onWrite={() => composer.current?.focus()}
            onSeen={(position) => chat.markRead(conversation, position)}
            back={deeds.back}
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
              inRoom={inRoom}
              onRetry={() => (known ? chat.history.open(conversation, position) : onRetry())}
            />
          </div>
        )}
        <Announcer newest={newest} me={me} name={author ?? spokenName(face)} />
        <SettledAnnouncer conversation={conversation} />
        <TypingLine conversation={conversation} />
        <FailedDeeds pending={pending} />
        {room && named.length > 0 && <AbsentNote room={room} named={named} onDone={leaveNote} />}
        {closed === null ? (
          <Composer
            area={composer}
            destination={{ conversation, to: other }}
            name={notes ? 'yourself' : name}
            onSent={sent}
            onNamed={setNamed}
            onEditLast={() => deeds.editLast(timeline)}
          />
        ) : (
          <p className={styles.closed} role="note">
            {closed}
          </p>
        )}
      </section>
    </DeedsProvider>
  );
}

/** Why one cannot write in it; null: one can. */
function whyClosed({ archived, posting, role }: Room): string | null {
  if (archived) return 'This room is archived. It can be read, and nobody writes in it any more.';
  return posting === 'moderators' && role === 'member' ? 'Only moderators write in this room.' : null;
}
