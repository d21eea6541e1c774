// Finds out whom the address means, and shows the conversation with them.
import { useEffect, useState } from 'react';
import { Link, useLocation } from 'wouter';

import { Blank } from '@/components/ui/blank';
import { Envelope } from '@/components/ui/envelope';
import { MessagesSkeleton } from '@/components/ui/skeleton';
import { paths } from '@/config/paths';
import type { Target } from '@/config/paths';
import { ChatView } from '@/features/messages/chat-view';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { explainError } from '@/lib/http/api-error';

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
  const chat = useChat();
  const [, navigate] = useLocation();
  const conversation = useChatState((state) => (kind === 'conversation' ? id : (state.byPerson[id] ?? null)));
  const entry = useChatState((state) =>
    conversation === null ? undefined : state.conversations[conversation],
  );
  const listed = useChatState((state) => state.list.status !== 'loading');
  const known = useChatState((state) => (kind === 'person' ? state.people[id] : undefined));
  const person = entry?.person ?? (listed ? known : undefined);
  const found = person !== undefined;
  const [problem, setProblem] = useState<{ id: string; text: string } | null>(null);

  useEffect(() => {
    if (found || !listed) return;
    const loading = kind === 'person' ? chat.conversations.person(id) : chat.conversations.one(id);
    loading.catch((error: unknown) => setProblem({ id, text: explainError(error) }));
  }, [chat, found, listed, kind, id]);

  // The address of a person becomes that of the conversation as soon as there is one.
  useEffect(() => {
    if (kind === 'person' && conversation !== null)
      navigate(paths.conversation(conversation), { replace: true });
  }, [kind, conversation, navigate]);

  if (person)
    return (
      <ChatView key={person.id} person={person} conversation={entry ? entry.id : null} position={position} />
    );
  if (problem?.id !== id) return <MessagesSkeleton label="Loading" />;
  return (
    <Blank title={problem.text} art={<Envelope />}>
      <Link href={paths.home}>Back to conversations</Link>
    </Blank>
  );
}
