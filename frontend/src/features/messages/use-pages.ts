// A list that the server tells page by page, as far as it was asked for: from its beginning for each `key`,
// again when the connection is back after a failure, and again soon where the server could not tell all of
// it.
import { useEffect, useEffectEvent, useState } from 'react';

import { useChatState } from '@/lib/chat/chat-context';
import { explainError } from '@/lib/http/api-error';

interface Page<T> {
  items: readonly T[];
  next: string | null;
  /** False: the server cannot prove that nothing is missing. */
  complete: boolean;
}

const AGAIN_MS = 1_500;

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

const NOTHING = { items: [], next: null, complete: true, more: 'idle' as const };

export function usePages<T>(key: string, ask: (after?: string) => Promise<Page<T>>): Pages<T> {
  const [told, setTold] = useState<Told<T> | null>(null);
  const [tries, setTries] = useState(0);
  const live = useChatState((state) => state.connection.phase === 'live');
  const begin = useEffectEvent(() => ask());
  /** Where somebody has read on, they keep what they see until the beginning is whole. */
  const begun = useEffectEvent((of: string, page: Page<T>) => {
    const readOn = told?.key === of && told.items.length > page.items.length;
    if (!readOn || page.complete) setTold({ key: of, ...page, problem: null, more: 'idle' });
  });

  useEffect(() => {
    let current = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = () =>
      void begin().then(
        (page) => {
          if (!current) return;
          begun(key, page);
          if (!page.complete) timer = setTimeout(load, AGAIN_MS);
        },
        (error: unknown) => current && setTold({ ...NOTHING, key, problem: explainError(error) }),
      );
    load();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [key, live, tries]);

  async function loadMore(from: Told<T>) {
    if (from.next === null || from.more === 'loading') return;
    setTold({ ...from, more: 'loading' });
    const same = (now: Told<T> | null): now is Told<T> => now?.key === from.key && now.next === from.next;
    try {
      const { items, next, complete } = await ask(from.next);
      setTold((now) => {
        if (!same(now)) return now;
        const all = [...now.items, ...items];
        return { ...now, items: all, next, complete: now.complete && complete, more: 'idle' };
      });
    } catch {
      setTold((now) => (same(now) ? { ...now, more: 'failed' } : now));
    }
  }

  const here = told?.key === key ? told : null;
  return {
    items: here?.items ?? [],
    next: here?.next ?? null,
    complete: here?.complete ?? true,
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
