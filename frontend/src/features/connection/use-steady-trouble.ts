// Trouble that is worth a word. A short interruption is not: nothing is said for 2 s. And what was said stays
// until the line has held for a moment, so that a line that comes and goes does not make a banner that does.
import { useEffect, useState } from 'react';

export const PATIENCE_MS = 2_000;
export const CALM_MS = 1_000;

export function useSteadyTrouble(trouble: boolean): boolean {
  const [told, setTold] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setTold(trouble), trouble ? PATIENCE_MS : CALM_MS);
    return () => clearTimeout(timer);
  }, [trouble]);
  return told;
}
