// What names this person, across conversations, as far as it was asked for: anew whenever something names
// them and when the connection is back. The words are in the store, so that a change reaches them here, too.
import { useCallback, useEffect, useEffectEvent, useRef, useState } from 'react';
import { useShallow } from 'zustand/react/shallow';

import { useChat, useChatState } from '@/lib/chat/chat-context';
import { explainError } from '@/lib/http/api-error';
import type { ConversationId, Message, Position } from '@/lib/http/types';
import { heldAt } from '@/lib/store/aside';
import type { ChatState } from '@/lib/store/chat-state';

/** The server could not tell all of it yet. */
const AGAIN_MS = 1_500;

interface Place {
  conversation: ConversationId;
  position: Position;
}

interface Answer {
  places: readonly Place[];
  next: string | null;
  more: 'idle' | 'loading' | 'failed';
}

export interface Mentions {
  loading: boolean;
  problem: string | null;
  messages: readonly Message[];
  next: string | null;
  more: 'idle' | 'loading' | 'failed';
  loadMore: () => void;
  retry: () => void;
}

/** Those of them that still name this person, and are not deleted. */
const shownOf = (state: ChatState, places: readonly Place[]): Message[] =>
  places.flatMap(({ conversation, position }) => {
    const message = heldAt(state, conversation, position);
    const names = message && !message.deleted && message.mentions?.includes(state.me.id);
    return names ? [message] : [];
  });

export function useMentions(): Mentions {
  const chat = useChat();
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [tries, setTries] = useState(0);
  const live = useChatState((state) => state.connection.phase === 'live');
  const places = answer?.places;
  const messages = useChatState(useShallow((state) => shownOf(state, places ?? [])));
  const asked = useRef(new Set<ConversationId>());

  const ask = useCallback(
    async (before?: string) => {
      const page = await chat.changes.asides.mentions(before === undefined ? {} : { before });
      const found = page.messages.map(({ conversation, position }) => ({ conversation, position }));
      for (const { conversation } of found) {
        asked.current.add(conversation);
        // Its name, where the list does not reach so far.
        const known = chat.store.getState().conversations[conversation];
        if (!known) void chat.conversations.one(conversation).catch(() => undefined);
      }
      return { ...page, found };
    },
    [chat],
  );
  const told = useEffectEvent((found: Place[], next: string | null) => {
    setProblem(null);
    // What was loaded beyond the first page stays behind it.
    setAnswer((now) => {
      const overlap = now?.places.some((place) => found.some((one) => same(one, place))) === true;
      return now && overlap
        ? { ...now, places: joined(found, now.places) }
        : { places: found, next, more: 'idle' };
    });
  });
  const failed = useEffectEvent((error: unknown) => setProblem(explainError(error)));

  useEffect(() => {
    let current = true;
    let timer: ReturnType<typeof setTimeout>;
    const load = () =>
      void ask().then(
        ({ found, next, complete }) => {
          if (!current) return;
          told(found, next);
          if (!complete) timer = setTimeout(load, AGAIN_MS);
        },
        (error: unknown) => current && failed(error),
      );
    load();
    const stop = chat.onArrivals((arrived) => {
      const { me } = chat.store.getState();
      if (arrived.some(({ mentions }) => mentions?.includes(me.id))) load();
    });
    return () => {
      current = false;
      clearTimeout(timer);
      stop();
    };
  }, [chat, ask, live, tries]);
  // What is shown of conversations that nobody has open goes with this page.
  useEffect(() => {
    const ids = asked.current;
    return () => chat.changes.asides.letGo(ids);
  }, [chat]);

  async function loadMore({ next }: Answer) {
    if (next === null) return;
    setAnswer((now) => now && { ...now, more: 'loading' });
    try {
      const page = await ask(next);
      setAnswer((now) => now && { places: joined(now.places, page.found), next: page.next, more: 'idle' });
    } catch {
      setAnswer((now) => now && { ...now, more: 'failed' });
    }
  }

  return {
    loading: answer === null,
    problem: answer === null ? problem : null,
    messages,
    next: answer?.next ?? null,
    more: answer?.more ?? 'idle',
    loadMore: () => answer && answer.more !== 'loading' && void loadMore(answer),
    retry: () => {
      setProblem(null);
      setTries(tries + 1);
    },
  };
}

const same = (a: Place, b: Place) => a.conversation === b.conversation && a.position === b.position;

function joined(first: readonly Place[], more: readonly Place[]): Place[] {
  return [...first, ...more.filter((place) => !first.some((known) => same(known, place)))];
}
