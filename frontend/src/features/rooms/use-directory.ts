// The public rooms as far as they were asked for; a moment after the last key, and again when the connection
// is back after a failure.
import { useEffect, useRef, useState } from 'react';

import { useChat, useChatState } from '@/lib/chat/chat-context';
import { explainError } from '@/lib/http/api-error';
import type { Room } from '@/lib/http/types';

const TYPING_PAUSE_MS = 180;
/** A room that was just made may not be there yet. */
const AGAIN_MS = 1_500;

interface Answer {
  /** What it answers. */
  query: string;
  rooms: readonly Room[];
  next: string | null;
  problem: string | null;
  more: 'idle' | 'loading' | 'failed';
}

export interface Directory extends Answer {
  loading: boolean;
  loadMore: () => void;
  retry: () => void;
}

export function useDirectory(query: string): Directory {
  const chat = useChat();
  const live = useChatState((state) => state.connection.phase === 'live');
  const [tries, setTries] = useState(0);
  const [answer, setAnswer] = useState<Answer | null>(null);
  const first = useRef(true);
  const wanted = query.trim();

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      try {
        const { rooms, next, complete } = await chat.rooms.directory(
          wanted === '' ? {} : { q: wanted },
          abort.signal,
        );
        setAnswer({ query: wanted, rooms, next, problem: null, more: 'idle' });
        if (!complete) timer = setTimeout(() => void ask(), AGAIN_MS);
      } catch (error) {
        if (abort.signal.aborted) return;
        setAnswer({ query: wanted, rooms: [], next: null, problem: explainError(error), more: 'idle' });
      }
    };
    timer = setTimeout(() => void ask(), first.current ? 0 : TYPING_PAUSE_MS);
    first.current = false;
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [chat, wanted, live, tries]);

  async function loadMore(from: Answer) {
    if (from.next === null || from.more === 'loading') return;
    setAnswer({ ...from, more: 'loading' });
    const same = (now: Answer | null) => now?.query === from.query && now.next === from.next;
    try {
      const page = { before: from.next, ...(from.query === '' ? {} : { q: from.query }) };
      const { rooms, next } = await chat.rooms.directory(page);
      setAnswer((now) =>
        now && same(now) ? { ...now, rooms: joined(now.rooms, rooms), next, more: 'idle' } : now,
      );
    } catch {
      setAnswer((now) => (now && same(now) ? { ...now, more: 'failed' } : now));
    }
  }

  return {
    ...(answer ?? { query: wanted, rooms: [], next: null, problem: null, more: 'idle' }),
    loading: answer?.query !== wanted,
    loadMore: () => answer && void loadMore(answer),
    retry: () => {
      setAnswer(null);
      setTries(tries + 1);
    },
  };
}

/** A room whose number of members changed in between may come twice. */
function joined(before: readonly Room[], more: readonly Room[]): Room[] {
  const known = new Set(before.map(({ id }) => id));
  return [...before, ...more.filter(({ id }) => !known.has(id))];
}
