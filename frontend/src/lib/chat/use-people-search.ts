// Asks the server who matches, a moment after the last key, and drops answers that are no longer wanted. What
// failed is asked again, by itself, and at once when the connection is back.
import { useEffect, useState } from 'react';

import { useChatState } from '@/lib/chat/chat-context';
import { api } from '@/lib/http/api';
import { explainError } from '@/lib/http/api-error';
import type { Person } from '@/lib/http/types';

const TYPING_PAUSE_MS = 180;
const RETRY_MS = 4_000;

export interface PeopleSearch {
  /** What `people` answers; behind the query while a search is on its way. */
  answered: string;
  people: Person[];
  /** Why there is no answer to the query, as far as it is known. */
  error: string | null;
}

const NOTHING: PeopleSearch = { answered: '', people: [], error: null };

export function usePeopleSearch(query: string): PeopleSearch {
  const [search, setSearch] = useState(NOTHING);
  const live = useChatState((state) => state.connection.phase === 'live');
  const wanted = query.trim();

  useEffect(() => {
    if (wanted === '') return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      try {
        const { users } = await api.searchPeople(wanted, abort.signal);
        setSearch({ answered: wanted, people: users, error: null });
      } catch (error) {
        if (abort.signal.aborted) return;
        setSearch({ answered: wanted, people: [], error: explainError(error) });
        timer = setTimeout(() => void ask(), RETRY_MS);
      }
    };
    timer = setTimeout(() => void ask(), TYPING_PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [wanted, live]);

  return wanted === '' ? NOTHING : search;
}
