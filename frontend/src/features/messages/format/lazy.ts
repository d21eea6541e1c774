// Formatting is fetched when the first message needs it. A fetch that failed is tried again by the next one.
import { useEffect, useSyncExternalStore } from 'react';

type Markdown = typeof import('./markdown');

let markdown: Markdown | null = null;
let loading: Promise<void> | null = null;
const listeners = new Set<() => void>();

export function loadMarkdown(): void {
  loading ??= import('./markdown').then(
    (module) => {
      markdown = module;
      for (const listener of listeners) listener();
    },
    () => {
      loading = null;
    },
  );
}

/** Null until it is there: the text is shown as it is meanwhile. */
export function useMarkdown(wanted: boolean): Markdown | null {
  const module = useSyncExternalStore(subscribe, () => markdown);
  useEffect(() => {
    if (wanted && !module) loadMarkdown();
  }, [wanted, module]);
  return module;
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
