// The phone's own way back closes what is open above the page first, and only then leaves the page. For it
// each layer has an entry in the browser's history, which goes again when the layer is closed in another
// way. Going there takes the browser a moment: until it is done nothing else is asked of the history, and
// what it tells is not taken for the person's wish. An entry whose layer is gone, because the page was loaded
// anew or went elsewhere from it, is stepped over: it would cost the person one way back for nothing.
import { useEffect, useEffectEvent } from 'react';

const PHONE = '(pointer: coarse), (max-width: 799px)';
/** A step back that the browser never tells of does not stop those after it for ever. */
const STEP_MAX_MS = 1_000;

/** From where it counts differs from page to page: the entries of the one before a reload are still there. */
let layers = Math.floor(Math.random() * 2 ** 40);
/** The layers with an entry, and what closes them. */
const entries = new Map<number, () => void>();
/** Runs while a step back of our own is under way. */
let stepping: ReturnType<typeof setTimeout> | undefined;
const waiting: (() => void)[] = [];

export function useBackCloses(open: boolean, onBack: () => void): void {
  const close = useEffectEvent(onBack);
  useEffect(() => {
    if (!open || !window.matchMedia(PHONE).matches) return;
    const layer = ++layers;
    let gone = false;
    // Not at once: what is opened and closed in the same moment leaves no trace.
    const timer = setTimeout(() =>
      afterSteps(() => {
        if (gone) return;
        entries.set(layer, () => close());
        history.pushState({ layer }, '');
      }),
    );
    return () => {
      gone = true;
      clearTimeout(timer);
      entries.delete(layer);
      afterSteps(() => {
        if (layerOf(history.state) === layer) stepBack();
      });
    };
  }, [open]);
}

function stepBack(): void {
  stepping = setTimeout(stepped, STEP_MAX_MS);
  history.back();
}

function stepped(): void {
  clearTimeout(stepping);
  stepping = undefined;
  // What waited can step back itself, and the rest waits again.
  for (const next of waiting.splice(0)) afterSteps(next);
}

function afterSteps(action: () => void): void {
  if (stepping === undefined) action();
  else waiting.push(action);
}

/** Under each entry of a layer is the page that it lay over. */
function leaveDead(): boolean {
  const now = layerOf(history.state);
  if (now === undefined || entries.has(now)) return false;
  stepBack();
  return true;
}

window.addEventListener('popstate', () => {
  if (stepping !== undefined) {
    clearTimeout(stepping);
    if (!leaveDead()) stepped();
    return;
  }
  if (leaveDead()) return;
  const now = layerOf(history.state);
  for (const [layer, close] of [...entries]) if (layer !== now) close();
});
leaveDead();

function layerOf(state: unknown): number | undefined {
  return (state as { layer?: number } | null)?.layer;
}
