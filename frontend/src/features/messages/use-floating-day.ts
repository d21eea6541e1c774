// The day of what is in view, above it while one scrolls: its own line may be far away.
import { useEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';
import type { VirtualizerHandle } from 'virtua';

import type { Row } from './rows';

/** So long after the last scroll. */
const SHOWN_MS = 1_500;
/** The line of a day itself is this high. */
const LINE_PX = 44;

/** The moment whose day is shown, and what is to be called at each scroll. */
export function useFloatingDay(
  rows: readonly Row[],
  topPx: number,
  virtualizer: RefObject<VirtualizerHandle | null>,
): { ms: number | null; onScroll: () => void } {
  const [ms, setMs] = useState<number | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  function onScroll() {
    const list = virtualizer.current;
    if (!list) return;
    const top = list.scrollOffset - topPx;
    const index = list.findItemIndex(Math.max(0, top));
    const row = rows[index];
    const lineInView = row?.startsDay && list.getItemOffset(index) + LINE_PX > top;
    setMs(row && top > 0 && !lineInView ? row.sentAtMs : null);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setMs(null), SHOWN_MS);
  }

  return { ms, onScroll };
}
