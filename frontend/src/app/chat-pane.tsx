// Finds out which conversation the address means, and shows it. An address can name a person, too: from an
// old link, and as long as nothing was written.
import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';

import { Blank } from '@/components/ui/blank';
import { Envelope } from '@/components/ui/envelope';
import { MessagesSkeleton } from '@/components/ui/skeleton';
import { paths } from '@/config/paths';
import type { Target } from '@/config/paths';
import { ChatView } from '@/features/messages/chat-view';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { explain, explainError } from '@/lib/http/api-error';
import type { ConversationId, Position, UserId } from '@/lib/http/types';
import { directConversation } from '@/lib/ids/direct-conversation';

export function ChatPane({ target }: { target: Target | null }) {
  return target ? <TargetChat target={target} /> : <NoTarget />;
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
  const known = useChatState((state) => state.conversations[conversation] !== undefined);
  const listed = useChatState((state) => state.list.status !== 'loading');
  /** What could not be asked is asked again when the connection is back. */
  const live = useChatState((state) => state.connection.phase === 'live');
  const named = useChatState((state) => to !== null && state.people[to] !== undefined);
  const [problem, setProblem] = useState<string | null>(null);
  const [begun, setBegun] = useState<'asking' | 'no' | 'failed'>('asking');
  const [tries, setTries] = useState(0);

  useEffect(() => {
    if (known || !listed) return;
    const failed = (error: unknown) => setProblem(explainError(error));
    if (to === null) return void chat.conversations.one(conversation).catch(failed);
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

  if (known || (listed && named))
    return (
      <ChatView
        conversation={conversation}
        to={to}
        position={position}
        begun={begun}
        details={null}
        onRetry={() => {
          setBegun('asking');
          setTries(tries + 1);
        }}
      />
    );
  return problem === null ? <MessagesSkeleton label="Loading" /> : <NotFound why={problem} />;
}

function NotFound({ why }: { why: string }) {
  return (
    <Blank title={why} art={<Envelope />}>
      <Link href={paths.home}>Back to conversations</Link>
    </Blank>
  );
}
