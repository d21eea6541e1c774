// A list that the server tells page by page, as far as it was asked for: from its beginning for each `key`,
// and again when the connection is back after a failure.
import { useEffect, useEffectEvent, useState } from 'react';

import { useChatState } from '@/lib/chat/chat-context';
import { explainError } from '@/lib/http/api-error';

interface Page<T> {
  items: readonly T[];
  next: string | null;
}

interface Told<T> extends Page<T> {
  key: string;
  problem: string | null;
  more: 'idle' | 'loading' | 'failed';
}

export interface Pages<T> extends Omit<Told<T>, 'key'> {
  loading: boolean;
  loadMore: () => void;
  retry: () => void;
}

export function usePages<T>(key: string, ask: (after?: string) => Promise<Page<T>>): Pages<T> {
  const [told, setTold] = useState<Told<T> | null>(null);
  const [tries, setTries] = useState(0);
  const live = useChatState((state) => state.connection.phase === 'live');
  const begin = useEffectEvent(() => ask());

  useEffect(() => {
    let current = true;
    begin().then(
      (page) => current && setTold({ key, ...page, problem: null, more: 'idle' }),
      (error: unknown) =>
        current && setTold({ key, items: [], next: null, problem: explainError(error), more: 'idle' }),
    );
    return () => {
      current = false;
    };
  }, [key, live, tries]);

  async function loadMore(from: Told<T>) {
    if (from.next === null || from.more === 'loading') return;
    setTold({ ...from, more: 'loading' });
    const same = (now: Told<T> | null): now is Told<T> => now?.key === from.key && now.next === from.next;
    try {
      const { items, next } = await ask(from.next);
      setTold((now) => (same(now) ? { ...now, items: [...now.items, ...items], next, more: 'idle' } : now));
    } catch {
      setTold((now) => (same(now) ? { ...now, more: 'failed' } : now));
    }
  }

  const here = told?.key === key ? told : null;
  return {
    items: here?.items ?? [],
    next: here?.next ?? null,
    problem: here?.problem ?? null,
    more: here?.more ?? 'idle',
    loading: here === null,
    loadMore: () => here && void loadMore(here),
    retry: () => {
      setTold(null);
      setTries(tries + 1);
    },
  };
}
