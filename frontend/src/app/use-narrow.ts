// Whether there is room for one pane only; the style sheets ask the same.
import { useSyncExternalStore } from 'react';

const query = window.matchMedia('(max-width: 799px)');

export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => query.matches);

function subscribe(onChange: () => void): () => void {
  query.addEventListener('change', onChange);
  return () => query.removeEventListener('change', onChange);
}
