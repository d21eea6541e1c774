// The channels of some tabs that hear each other at once.
import type { TabChannel, TabNews } from '@/lib/tabs/tab-channel';

export function fakeTabs(count: number): TabChannel[] {
  const listeners = Array.from({ length: count }, () => new Set<(news: TabNews) => void>());
  return listeners.map((own) => ({
    post: (news) => {
      for (const other of listeners) if (other !== own) for (const listener of other) listener(news);
    },
    listen(listener) {
      own.add(listener);
      return () => void own.delete(listener);
    },
    close: () => own.clear(),
  }));
}

/** A tab without others. */
export function loneTab(): TabChannel {
  return { post: () => undefined, listen: () => () => undefined, close: () => undefined };
}
