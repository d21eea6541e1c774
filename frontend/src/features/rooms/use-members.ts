// Who is in a room, as far as it was asked for: again a moment after the last key, and whenever the room has
// changed, as many as are shown.
import { useEffect, useRef, useState } from 'react';

import { useChat, useChatState } from '@/lib/chat/chat-context';
import { MEMBERS_PAGE } from '@/lib/chat/rooms';
import { explainError } from '@/lib/http/api-error';
import type { Member, Room } from '@/lib/http/types';

const TYPING_PAUSE_MS = 180;
/** Rooms in which people come and go all the time are asked about once for many of them. */
const CHANGED_PAUSE_MS = 500;
/** Somebody who just came may not be there yet. */
const AGAIN_MS = 1_000;
/** The server tells no more at once. */
const LIMIT_MAX = 500;

interface Answer {
  /** What it answers. */
  query: string;
  members: readonly Member[];
  next: string | null;
  problem: string | null;
  more: 'idle' | 'loading' | 'failed';
}

const NOTHING: Answer = { query: '', members: [], next: null, problem: null, more: 'idle' };

export interface Members extends Answer {
  loading: boolean;
  loadMore: () => void;
  retry: () => void;
}

export function useMembers(room: Room, query: string): Members {
  const chat = useChat();
  const live = useChatState((state) => state.connection.phase === 'live');
  const [tries, setTries] = useState(0);
  const [answer, setAnswer] = useState<Answer | null>(null);
  /** What was asked last, and how many came. */
  const asked = useRef<{ query: string; count: number } | null>(null);
  const wanted = query.trim();
  const { id } = room;

  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const before = asked.current;
    const same = before?.query === wanted;
    const ask = async () => {
      const shown = same ? (asked.current?.count ?? 0) : 0;
      const limit = Math.min(LIMIT_MAX, Math.max(MEMBERS_PAGE, shown));
      try {
        const page = { limit, ...(wanted === '' ? {} : { q: wanted }) };
        const { members, next, complete } = await chat.rooms.members(id, page, abort.signal);
        asked.current = { query: wanted, count: members.length };
        setAnswer({ query: wanted, members, next, problem: null, more: 'idle' });
        if (!complete) timer = setTimeout(() => void ask(), AGAIN_MS);
      } catch (error) {
        if (abort.signal.aborted) return;
        setAnswer((now) =>
          now?.query === wanted && now.members.length > 0
            ? now
            : { ...NOTHING, query: wanted, problem: explainError(error) },
        );
      }
    };
    const pause = before === null ? 0 : same ? CHANGED_PAUSE_MS : TYPING_PAUSE_MS;
    timer = setTimeout(() => void ask(), pause);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
    // `room` is another object when something in it has changed.
  }, [chat, id, room, wanted, live, tries]);

  async function loadMore(from: Answer) {
    if (from.next === null || from.more === 'loading') return;
    setAnswer({ ...from, more: 'loading' });
    const same = (now: Answer | null) => now?.query === from.query && now.next === from.next;
    try {
      const page = { after: from.next, ...(from.query === '' ? {} : { q: from.query }) };
      const { members, next } = await chat.rooms.members(id, page);
      setAnswer((now) => {
        if (!now || !same(now)) return now;
        const all = joined(now.members, members);
        asked.current = { query: now.query, count: all.length };
        return { ...now, members: all, next, more: 'idle' };
      });
    } catch {
      setAnswer((now) => (now && same(now) ? { ...now, more: 'failed' } : now));
    }
  }

  return {
    ...(answer ?? { ...NOTHING, query: wanted }),
    loading: answer?.query !== wanted,
    loadMore: () => answer && void loadMore(answer),
    retry: () => {
      setAnswer(null);
      setTries(tries + 1);
    },
  };
}

/** Whoever's role changed in between may come twice. */
function joined(before: readonly Member[], more: readonly Member[]): Member[] {
  const known = new Set(before.map(({ user }) => user.id));
  return [...before, ...more.filter(({ user }) => !known.has(user.id))];
}
