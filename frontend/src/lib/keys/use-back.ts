// The phone's own way back closes what is open above the page first, and only then leaves the page.
import { useEffect, useEffectEvent } from 'react';

const PHONE = '(pointer: coarse), (max-width: 799px)';
let layers = 0;

export function useBackCloses(open: boolean, onBack: () => void): void {
  const close = useEffectEvent(onBack);
  useEffect(() => {
    if (!open || !window.matchMedia(PHONE).matches) return;
    const layer = ++layers;
    // Not at once: what is opened and closed in the same moment leaves no trace.
    const timer = setTimeout(() => history.pushState({ layer }, ''));
    const onPop = () => {
      if (layerOf(history.state) !== layer) close();
    };
    window.addEventListener('popstate', onPop);
    return () => {
      clearTimeout(timer);
      window.removeEventListener('popstate', onPop);
      if (layerOf(history.state) === layer) history.back();
    };
  }, [open]);
}

const layerOf = (state: unknown) => (state as { layer?: number } | null)?.layer;
