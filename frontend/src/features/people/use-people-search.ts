// Asks the server who matches, a moment after the last key, and drops answers that are no longer wanted.
import { useEffect, useState } from 'react';

import { api } from '@/lib/http/api';
import { explainError } from '@/lib/http/api-error';
import type { Person } from '@/lib/http/types';

const TYPING_PAUSE_MS = 180;

export interface PeopleSearch {
  /** What `people` answers; behind `query` while a search is on its way. */
  answered: string;
  people: Person[];
  error: string | null;
}

const NOTHING: PeopleSearch = { answered: '', people: [], error: null };

export function usePeopleSearch(query: string): PeopleSearch {
  const [search, setSearch] = useState(NOTHING);
  const wanted = query.trim();

  useEffect(() => {
    if (wanted === '') return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      api
        .searchPeople(wanted, abort.signal)
        .then(({ users }) => setSearch({ answered: wanted, people: users, error: null }))
        .catch((error: unknown) => {
          if (!abort.signal.aborted) setSearch({ answered: wanted, people: [], error: explainError(error) });
        });
    }, TYPING_PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [wanted]);

  return wanted === '' ? NOTHING : search;
}
