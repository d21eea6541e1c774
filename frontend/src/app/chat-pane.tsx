// Finds out which conversation the address means, and shows it. An address can name a person, too: from an
// old link, and as long as nothing was written. What concerns a room stands beside it when it is asked for.
import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';

import { Blank } from '@/components/ui/blank';
import { Envelope } from '@/components/ui/envelope';
import { MessagesSkeleton } from '@/components/ui/skeleton';
import { paths } from '@/config/paths';
import type { Target } from '@/config/paths';
import { ChatView } from '@/features/messages/chat-view';
import { PinsPanel } from '@/features/messages/pins-panel';
import { UnsentLeft } from '@/features/messages/unsent-left';
import { ConversationSheet } from '@/features/notifications/conversation-sheet';
import { RoomDoor } from '@/features/rooms/room-door';
import { RoomPanel } from '@/features/rooms/room-panel';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { hasLists } from '@/lib/chat/message-rights';
import { ApiError, explain, explainError } from '@/lib/http/api-error';
import type { ConversationId, Position, Room, UserId } from '@/lib/http/types';
import { directConversation } from '@/lib/ids/direct-conversation';
import { settingsOf } from '@/lib/tell/state';

import styles from './chat-pane.module.css';
import { RoomByHandle } from './room-by-handle';

export function ChatPane({ target }: { target: Target | null }) {
  if (!target) return <NoTarget />;
  return target.kind === 'room' ? (
    <RoomByHandle key={target.id} handle={target.id} />
  ) : (
    <TargetChat target={target} />
  );
}

/** For a newcomer there is nothing to choose yet. */
function NoTarget() {
  const me = useChatState((state) => state.me);
  const fresh = useChatState((state) => state.list.status === 'ready' && state.order.length === 0);
  return fresh ? (
    <Blank title={`Welcome, ${me.display_name}`} art={<Envelope to={me.display_name} />}>
      <p>
        Letters to you will open here. Others find you as <strong>@{me.username}</strong>.
      </p>
      <Link href={paths.person(me.id)}>Write a first note to yourself</Link>
    </Blank>
  ) : (
    <Blank title="Choose a conversation" art={<Envelope />}>
      <p>Or find somebody by name, and write to them.</p>
      <Link href={paths.rooms}>Find or create a room</Link>
    </Blank>
  );
}

function TargetChat({ target: { kind, id, position } }: { target: Target }) {
  const me = useChatState((state) => state.me.id);
  const conversation = kind === 'conversation' ? id : directConversation(me, id);
  const to = kind === 'person' ? id : null;
  return conversation === null ? (
    <NotFound why={explain('unknown_recipient')} />
  ) : (
    <ConversationChat key={conversation} conversation={conversation} to={to} position={position} />
  );
}

interface ConversationChatProps {
  conversation: ConversationId;
  /** The person whom the address names. */
  to: UserId | null;
  position: Position | null;
}

function ConversationChat({ conversation, to, position }: ConversationChatProps) {
  const chat = useChat();
  const [, navigate] = useLocation();
  const entry = useChatState((state) => state.conversations[conversation]);
  const known = entry !== undefined;
  const listed = useChatState((state) => state.list.status !== 'loading');
  /** What could not be asked is asked again when the connection is back. */
  const live = useChatState((state) => state.connection.phase === 'live');
  const named = useChatState((state) => to !== null && state.people[to] !== undefined);
  const [problem, setProblem] = useState<string | null>(null);
  /** A public room that one is not in. */
  const [outside, setOutside] = useState<Room | null>(null);
  const told = useChatState((state) => state.tell !== null);
  const { muted } = useChatState((state) => settingsOf(state.tell, conversation));
  const [sheet, setSheet] = useState(false);
  const [panel, setPanel] = useState<'room' | 'pins' | null>(null);
  const pinnable = useChatState((state) => hasLists(state.limits));
  const [begun, setBegun] = useState<'asking' | 'no' | 'failed'>('asking');
  const [tries, setTries] = useState(0);

  useEffect(() => {
    if (known || !listed) return;
    const failed = (error: unknown) => setProblem(explainError(error));
    if (to === null)
      return void chat.conversations
        .one(conversation)
        .catch((error: unknown) =>
          isOutside(error) ? chat.rooms.byId(conversation).then(setOutside) : Promise.reject(error as Error),
        )
        .catch(failed);
    chat.conversations.person(to).catch(failed);
    chat.conversations.begun(conversation).then(
      (yes) => !yes && setBegun('no'),
      () => setBegun('failed'),
    );
  }, [chat, known, listed, live, to, conversation, tries]);

  // The address of a person becomes that of the conversation as soon as there is one.
  useEffect(() => {
    if (to !== null && known) navigate(paths.conversation(conversation), { replace: true });
  }, [to, known, conversation, navigate]);

  const door = entry?.room?.role === null ? entry.room : known ? null : outside;
  if (door)
    return (
      <RoomDoor
        room={door}
        last={entry?.last_event?.event ?? null}
        onEntered={(id) => navigate(paths.conversation(id), { replace: true })}
      >
        <UnsentLeft conversation={conversation} />
      </RoomDoor>
    );
  if (known || (listed && named)) {
    const room = entry?.room ?? null;
    const toggle = (which: 'room' | 'pins') => setPanel(panel === which ? null : which);
    return (
      <div className={styles.frame}>
        <div className={styles.beside}>
          <ChatView
            conversation={conversation}
            to={to}
            position={position}
            begun={begun}
            details={room && { open: panel === 'room', toggle: () => toggle('room') }}
            bell={told && known ? { muted, open: () => setSheet(true) } : null}
            pins={pinnable && known ? { open: panel === 'pins', toggle: () => toggle('pins') } : null}
            onRetry={() => {
              setBegun('asking');
              setTries(tries + 1);
            }}
          />
          {room && panel === 'room' && (
            <RoomPanel
              room={room}
              onNotifications={told ? () => setSheet(true) : undefined}
              onClose={() => setPanel(null)}
            />
          )}
          {sheet && <ConversationSheet conversation={conversation} onClose={() => setSheet(false)} />}
          {panel === 'pins' && <PinsPanel conversation={conversation} onClose={() => setPanel(null)} />}
        </div>
      </div>
    );
  }
  return problem === null ? <MessagesSkeleton label="Loading" /> : <NotFound why={problem} />;
}

/** Nothing of it may be read; that it is there, perhaps. */
const isOutside = (error: unknown) =>
  error instanceof ApiError && (error.code === 'not_member' || error.code === 'unknown_conversation');

function NotFound({ why }: { why: string }) {
  return (
    <Blank title={why} art={<Envelope />}>
      <Link href={paths.home}>Back to conversations</Link>
    </Blank>
  );
}
