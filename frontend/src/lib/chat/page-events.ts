// What happens to the page as a whole: it is shown or hidden, comes to the front, the network changes,
// somebody leaves.

export interface PageEvents {
  networkChanged: () => void;
  shown: () => void;
  hidden: () => void;
  focused: () => void;
  /** Somebody sits before it and does something. */
  touched: () => void;
  /** False: the browser asks the person whether to leave. */
  mayLeave: () => boolean;
}

const TOUCHES = ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchmove', 'focus'];

/** Gives back what ends it. */
export function watchPage(on: PageEvents): () => void {
  const end = new AbortController();
  const { signal } = end;
  window.addEventListener('online', on.networkChanged, { signal });
  window.addEventListener('offline', on.networkChanged, { signal });
  window.addEventListener('focus', on.focused, { signal });
  window.addEventListener('beforeunload', (event) => on.mayLeave() || event.preventDefault(), { signal });
  document.addEventListener(
    'visibilitychange',
    () => (document.visibilityState === 'visible' ? on.shown() : on.hidden()),
    { signal },
  );
  // Before anybody else, who may stop them.
  for (const kind of TOUCHES)
    window.addEventListener(kind, on.touched, { signal, passive: true, capture: true });
  return () => end.abort();
}
