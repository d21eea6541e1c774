// Moves the message list: to the first unread message or the end on opening, along with new messages while at the end, and
// not at all while the person reads further up. Asks for older and newer pages before their place comes into view.
import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';
import type { VirtualizerHandle } from 'virtua';

import type { Position } from '@/lib/http/types';

import { compareRows } from './rows';
import type { Row } from './rows';
import { anchorAfterScroll, isAtEnd, wantsNewer, wantsOlder } from './scroll-position';
import type { Anchor } from './scroll-position';

/** After being placed the rows in view get their real sizes; until then the place is corrected. */
const SETTLE_MS = 300;
/** What stays visible above the unread line. */
const ABOVE_LINE_PX = 72;
/** A message that the address means stands this far down, as a part of the view. */
const ABOVE_MEANT = 0.3;

export interface ListScrollOptions {
  rows: readonly Row[];
  /** The message that the address means: it is brought into view once, when it is there. */
  meant: Position | null;
  /** The height of what stands above the rows. */
  topPx: number;
  hasBefore: boolean;
  hasAfter: boolean;
  onOlder: () => void;
  /** `following`: the view was at the end, and wants to be at the end again. */
  onNewer: (following: boolean) => void;
  /** The last row that is in view. */
  onInView: (index: number) => void;
}

export interface ListScroll {
  scroller: RefObject<HTMLDivElement | null>;
  virtualizer: RefObject<VirtualizerHandle | null>;
  /** For the list: rows were added or removed at the start. */
  shift: boolean;
  /** The view is not at the end. */
  away: boolean;
  onScroll: () => void;
  onResize: () => void;
  onTakeover: () => void;
  toEnd: () => void;
  /** Looks again what is in view: the page came to the front. */
  look: () => void;
}

export function useListScroll(options: ListScrollOptions): ListScroll {
  const { rows, meant, topPx, hasBefore, hasAfter } = options;
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useRef<VirtualizerHandle>(null);
  const anchor = useRef<Anchor>({ kind: 'end' });
  const lastTop = useRef(0);
  /** The view was opened at its place: a window that starts anew later is one that the person asked for, at the end. */
  const placed = useRef(false);
  /** The message that was brought into view because the address means it. */
  const shownMeant = useRef<Position | null>(null);
  const [away, setAway] = useState(false);
  const [shown, setShown] = useState<{ rows: readonly Row[]; change: ReturnType<typeof compareRows> }>({
    rows: [],
    change: 'replaced',
  });
  if (shown.rows !== rows) setShown({ rows, change: compareRows(shown.rows, rows) });

  function hold() {
    const element = scroller.current;
    if (!element) return;
    const held = anchor.current;
    if (held.kind === 'end') element.scrollTop = element.scrollHeight;
    if (held.kind === 'row') {
      const index = rows.findIndex((row) => row.key === held.key);
      const offset = virtualizer.current?.getItemOffset(index) ?? 0;
      const above = held.meant ? element.clientHeight * ABOVE_MEANT : ABOVE_LINE_PX;
      if (index >= 0) element.scrollTop = topPx + offset - above;
    }
    lastTop.current = element.scrollTop;
  }

  function look() {
    const element = scroller.current;
    if (!element || element.clientHeight === 0 || rows.length === 0) return;
    setAway(hasAfter || !isAtEnd(element));
    if (hasBefore && wantsOlder(element)) options.onOlder();
    const following = anchor.current.kind === 'end' || (anchor.current.kind === 'row' && isAtEnd(element));
    if (hasAfter && wantsNewer(element)) options.onNewer(following);
    const end = element.scrollTop + element.clientHeight;
    options.onInView(isAtEnd(element) ? rows.length - 1 : (virtualizer.current?.findItemIndex(end) ?? 0));
  }

  function onScroll() {
    const element = scroller.current;
    if (!element) return;
    anchor.current = anchorAfterScroll(anchor.current, lastTop.current, element, !hasAfter);
    lastTop.current = element.scrollTop;
    look();
  }

  function settle() {
    const element = scroller.current;
    if (!element || anchor.current.kind !== 'row') return;
    anchor.current = isAtEnd(element) && !hasAfter ? { kind: 'end' } : { kind: 'none' };
    look();
  }

  /** True when the view has to settle at a new place. */
  const rowsChanged = useEffectEvent((change: typeof shown.change): boolean => {
    const wanted = shownMeant.current === meant ? undefined : rows.find((row) => row.position === meant);
    const line = placed.current || meant !== null ? undefined : rows.find((row) => row.startsUnread);
    if (wanted) anchor.current = { kind: 'row', key: wanted.key, meant: true };
    else if (change === 'replaced') anchor.current = line ? { kind: 'row', key: line.key } : { kind: 'end' };
    if (wanted || meant === null) shownMeant.current = meant;
    placed.current = true;
    hold();
    look();
    return wanted !== undefined || change === 'replaced';
  });
  const settled = useEffectEvent(settle);

  useLayoutEffect(() => {
    if (shown.rows.length === 0 || !rowsChanged(shown.change)) return;
    const timer = setTimeout(settled, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [shown, meant]);

  // Whether more can be fetched changes without any row: after a failure, or when the window ends at a gap.
  const lookAgain = useEffectEvent(look);
  useEffect(() => lookAgain(), [hasBefore, hasAfter]);

  return {
    scroller,
    virtualizer,
    shift: shown.change === 'shifted',
    away,
    onScroll,
    onResize: () => {
      hold();
      look();
    },
    onTakeover: settle,
    toEnd: () => {
      anchor.current = { kind: 'end' };
      hold();
    },
    look,
  };
}
