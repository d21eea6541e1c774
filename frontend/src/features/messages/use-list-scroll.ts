// Moves the message list: to the first unread message or the end on opening, along with new messages while at
// the end, and not at all while the person reads further up. Asks for older and newer pages before their
// place comes into view. At the end the distance to it stays 0, whatever changes a height: only the reader
// scrolls away.
import { useEffect, useEffectEvent, useLayoutEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';
import type { VirtualizerHandle } from 'virtua';

import type { Place } from '@/lib/chat/places';
import type { Position } from '@/lib/http/types';

import { afterPaint } from './after-paint';
import type { AfterPaint } from './after-paint';
import { compareRows } from './rows';
import type { Row } from './rows';
import { anchorAfterScroll, isAtEnd, metricsOf, wantsNewer, wantsOlder, wasInView } from './scroll-position';
import type { Anchor, Metrics } from './scroll-position';

/** After being placed the rows in view get their real sizes; until then the place is corrected. */
const SETTLE_MS = 300;
/** What stays visible above the unread line. */
const ABOVE_LINE_PX = 72;
/** A message that the address means stands this far down, as a part of the view. */
const ABOVE_MEANT = 0.3;
/** A scroll this soon after a wheel, finger or key moved is the reader's. */
const TOUCH_MS = 300;

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
  /** Where the reader was before: the view opens there, unless something is unread. */
  place: Place | null;
  onPlace: (place: Place | null) => void;
  /** This row was in view, painted as it is, and all before it that the reader wanted to see. */
  onSeen: (key: string) => void;
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
  /** The reader's wheel, finger or keys: from here on the place is theirs. */
  onTakeover: () => void;
  toEnd: () => void;
  /** Brings the message at this position into view, if it is among the rows. */
  show: (position: Position) => void;
  /** Looks again what is in view: the page came to the front. */
  look: () => void;
}

const NOWHERE: Metrics = { scrollTop: 0, scrollHeight: 0, clientHeight: 0 };

export function useListScroll(options: ListScrollOptions): ListScroll {
  const { rows, meant, topPx, hasBefore, hasAfter } = options;
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useRef<VirtualizerHandle>(null);
  const anchor = useRef<Anchor>({ kind: 'end' });
  const last = useRef<Metrics>(NOWHERE);
  /** Painted where it was opened, with its end in view and nothing beyond: the reader stands there. */
  const atRest = useRef(false);
  const touchedAt = useRef(-TOUCH_MS);
  const painted = useRef<AfterPaint>(null);
  /**
   * The view was opened at its place: a window that starts anew later is one that the person asked for, at
   * the end.
   */
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
      if (index >= 0) element.scrollTop = topPx + offset - held.above;
    }
    last.current = metricsOf(element);
    atRest.current &&= isAtEnd(element) && !hasAfter;
  }

  /** Something new came below before the place had settled: who had the end in view goes along, as later. */
  function follow() {
    if (anchor.current.kind === 'row' && atRest.current) anchor.current = { kind: 'end' };
  }

  function look() {
    const element = scroller.current;
    if (!element || element.clientHeight === 0 || rows.length === 0) return;
    setAway(hasAfter || !isAtEnd(element));
    if (hasBefore && wantsOlder(element)) options.onOlder();
    if (hasAfter && wantsNewer(element)) options.onNewer(anchor.current.kind === 'end');
    painted.current?.ask();
  }

  /** The row at the upper edge. */
  function placeOf({ scrollTop }: HTMLElement): Place | null {
    const list = virtualizer.current;
    const index = list?.findItemIndex(Math.max(0, scrollTop - topPx)) ?? 0;
    const key = rows[index]?.key;
    if (!list || key === undefined) return null;
    return { key, above: topPx + list.getItemOffset(index) - scrollTop, meant };
  }

  function onScroll() {
    const element = scroller.current;
    if (!element) return;
    const touched = performance.now() - touchedAt.current < TOUCH_MS;
    const before = last.current;
    last.current = metricsOf(element);
    anchor.current = anchorAfterScroll(anchor.current, before, element, !hasAfter, touched);
    // Not the reader, but a view that became higher for a moment.
    if (anchor.current.kind === 'end' && !isAtEnd(element)) hold();
    look();
  }

  function settle() {
    const element = scroller.current;
    if (!element || anchor.current.kind !== 'row') return;
    anchor.current = isAtEnd(element) && !hasAfter ? { kind: 'end' } : { kind: 'none' };
    look();
  }

  function resized() {
    hold();
    look();
  }

  /** True when the view has to settle at a new place. */
  const rowsChanged = useEffectEvent((change: typeof shown.change): boolean => {
    follow();
    const place = placed.current ? undefined : (options.place ?? undefined);
    if (place) shownMeant.current = place.meant;
    const wanted = shownMeant.current === meant ? undefined : rows.find((row) => row.position === meant);
    const line = placed.current || meant !== null ? undefined : rows.find((row) => row.startsUnread);
    const height = scroller.current?.clientHeight ?? 0;
    if (wanted) anchor.current = { kind: 'row', key: wanted.key, above: height * ABOVE_MEANT };
    else if (line) anchor.current = { kind: 'row', key: line.key, above: ABOVE_LINE_PX };
    else if (place && rows.some(({ key }) => key === place.key)) anchor.current = { kind: 'row', ...place };
    else if (change === 'replaced') anchor.current = { kind: 'end' };
    if (wanted || meant === null) shownMeant.current = meant;
    if (wanted || line || place) atRest.current = false;
    placed.current = true;
    hold();
    look();
    return anchor.current.kind === 'row';
  });
  const settled = useEffectEvent(settle);
  const [shows, setShows] = useState(0);
  useEffect(() => {
    if (shows === 0) return;
    const timer = setTimeout(settled, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [shows]);

  const seen = useEffectEvent(() => {
    const element = scroller.current;
    if (!element) return;
    // Until it has settled, what is in view may be there for a moment only.
    if (anchor.current.kind === 'row') {
      atRest.current = isAtEnd(element) && !hasAfter;
      return;
    }
    const view = element.getBoundingClientRect();
    const bubbles = Array.from(element.querySelectorAll<HTMLElement>('[data-key]'));
    const inView = bubbles.findLast((row) => wasInView(row.getBoundingClientRect(), view));
    if (inView?.dataset.key !== undefined) options.onSeen(inView.dataset.key);
    options.onPlace(anchor.current.kind === 'end' ? null : placeOf(element));
  });
  useLayoutEffect(() => {
    const asked = afterPaint(() => seen());
    painted.current = asked;
    return () => asked.cancel();
  }, []);

  useLayoutEffect(() => {
    if (shown.rows.length === 0 || !rowsChanged(shown.change)) return;
    const timer = setTimeout(settled, SETTLE_MS);
    return () => clearTimeout(timer);
  }, [shown, meant]);

  // The view by the composer, the banner, the window or a keyboard; what is in it by letters, pictures and
  // new rows.
  const sizesChanged = useEffectEvent(resized);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => sizesChanged());
    for (const part of [element, ...element.children]) observer.observe(part);
    return () => observer.disconnect();
  }, []);

  // Whether more can be fetched changes without any row: after a failure, or when the window ends at a gap.
  const lookAgain = useEffectEvent(() => {
    if (hasAfter) follow();
    look();
  });
  // Before the observer of sizes: to it, the rows from behind the gap would make this a place above the end.
  useLayoutEffect(() => lookAgain(), [hasBefore, hasAfter]);

  return {
    scroller,
    virtualizer,
    shift: shown.change === 'shifted',
    away,
    onScroll,
    onResize: resized,
    onTakeover: () => {
      touchedAt.current = performance.now();
      settle();
    },
    toEnd: () => {
      anchor.current = { kind: 'end' };
      hold();
    },
    show: (position) => {
      const row = rows.find((one) => one.position === position);
      if (!row) return;
      anchor.current = {
        kind: 'row',
        key: row.key,
        above: (scroller.current?.clientHeight ?? 0) * ABOVE_MEANT,
      };
      hold();
      setShows((count) => count + 1);
    },
    look,
  };
}
