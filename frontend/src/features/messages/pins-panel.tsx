// What is pinned in a conversation, the newest pin first, beside its messages. Pressed, a message is shown in
// its place. It is asked for again whenever something is pinned or unpinned here.
import { useEffect, useEffectEvent, useMemo, useState } from 'react';
import { useShallow } from 'zustand/react/shallow';

import { Button } from '@/components/ui/button';
import { SidePanel } from '@/components/ui/side-panel';
import { Spinner } from '@/components/ui/spinner';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { rightsOn } from '@/lib/chat/message-rights';
import { explainError } from '@/lib/http/api-error';
import type { ConversationId, Message, Position } from '@/lib/http/types';
import { messageAt } from '@/lib/store/aside';
import type { ChatState } from '@/lib/store/chat-state';

import { MessageExcerpt } from './message-excerpt';
import styles from './pins-panel.module.css';

/** An answer that may miss the newest pins is asked for again. */
const AGAIN_MS = 1_500;

export function PinsPanel({ conversation, onClose }: { conversation: ConversationId; onClose: () => void }) {
  return (
    <SidePanel title="Pinned messages" onClose={onClose}>
      <Pins conversation={conversation} onShown={onClose} />
    </SidePanel>
  );
}

/** Of these positions, the messages that are pinned now. */
const pinnedOf = (state: ChatState, id: ConversationId, positions: readonly Position[]): Message[] =>
  positions.flatMap((position) => {
    const message =
      messageAt(state.timelines[id]?.messages ?? [], position) ?? messageAt(state.aside[id] ?? [], position);
    return message?.pinned === undefined || message.deleted ? [] : [message];
  });

/** The newest pin that the page knows of in the window: when it is another one, the list is, too. */
const newestPin = (state: ChatState, id: ConversationId): Position =>
  state.timelines[id]?.messages.findLast(({ event }) => event?.kind === 'pinned')?.position ?? 0;

function usePins(conversation: ConversationId) {
  const chat = useChat();
  const [positions, setPositions] = useState<readonly Position[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [tries, setTries] = useState(0);
  const newest = useChatState((state) => newestPin(state, conversation));
  const live = useChatState((state) => state.connection.phase === 'live');
  const told = useEffectEvent((now: Position[]) => {
    setPositions(now);
    setProblem(null);
  });
  const failed = useEffectEvent((error: unknown) => setProblem(explainError(error)));
  useEffect(() => {
    let current = true;
    let timer: ReturnType<typeof setTimeout>;
    const load = () =>
      void chat.changes.asides.pins(conversation).then(
        ({ positions: now, complete }) => {
          if (!current) return;
          told(now);
          if (!complete) timer = setTimeout(load, AGAIN_MS);
        },
        (error: unknown) => current && failed(error),
      );
    load();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [chat, conversation, newest, live, tries]);
  const messages = useChatState(useShallow((state) => pinnedOf(state, conversation, positions ?? [])));
  return { loading: positions === null, problem, messages, retry: () => setTries(tries + 1) };
}

function Pins({ conversation, onShown }: { conversation: ConversationId; onShown: () => void }) {
  const { loading, problem, messages, retry } = usePins(conversation);
  if (loading && problem !== null)
    return (
      <div className={styles.note}>
        <p>The pinned messages could not be loaded. {problem}</p>
        <Button onClick={retry}>Try again</Button>
      </div>
    );
  if (loading)
    return (
      <div className={styles.note}>
        <Spinner label="Loading pinned messages" />
      </div>
    );
  if (messages.length === 0)
    return <p className={styles.note}>Nothing is pinned here. What should be found again, pin it.</p>;
  return (
    <ul className={styles.pins}>
      {messages.map((message) => (
        <Pin key={message.id} message={message} onShown={onShown} />
      ))}
    </ul>
  );
}

function Pin({ message, onShown }: { message: Message; onShown: () => void }) {
  const chat = useChat();
  const { conversation, id, position } = message;
  const room = useChatState((state) => state.conversations[conversation]?.room ?? null);
  const [me, limits] = useChatState(useShallow((state) => [state.me.id, state.limits] as const));
  const mayUnpin = useMemo(() => rightsOn(message, room, me, limits).pin, [message, room, me, limits]);
  const narrow = () => window.matchMedia('(max-width: 799px)').matches;
  return (
    <li className={styles.pin}>
      <MessageExcerpt message={message} onShown={() => narrow() && onShown()}>
        {mayUnpin && (
          <Button
            look="text"
            onClick={() => chat.do(conversation, { does: 'pin', target: { position, id }, on: false })}
          >
            Unpin
          </Button>
        )}
      </MessageExcerpt>
    </li>
  );
}
