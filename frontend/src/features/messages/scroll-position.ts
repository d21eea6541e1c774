// What follows from where the list is scrolled to. Pure, in pixels.

export interface Metrics {
  scrollTop: number;
  scrollHeight: number;
  clientHeight: number;
}

/** Older and newer pages are fetched this many screens before their place comes into view. */
const FETCH_AHEAD_SCREENS = 1.5;
/** This near to the end counts as being there. */
const AT_END_PX = 50;

const belowView = ({ scrollTop, scrollHeight, clientHeight }: Metrics) =>
  scrollHeight - scrollTop - clientHeight;

export const isAtEnd = (metrics: Metrics) => belowView(metrics) < AT_END_PX;
export const wantsOlder = ({ scrollTop, clientHeight }: Metrics) =>
  scrollTop < clientHeight * FETCH_AHEAD_SCREENS;
export const wantsNewer = (metrics: Metrics) =>
  belowView(metrics) < metrics.clientHeight * FETCH_AHEAD_SCREENS;

/** What there is of it to see: a copy, because an element's own numbers change. */
export const metricsOf = ({ scrollTop, scrollHeight, clientHeight }: Metrics): Metrics => ({
  scrollTop,
  scrollHeight,
  clientHeight,
});

/**
 * What the view holds on to when sizes change: the end (new messages come into view), one row (just placed
 * there, with its upper edge this far below that of the view), or nothing (the person reads; the list keeps
 * the place).
 */
export type Anchor = { kind: 'end' } | { kind: 'row'; key: string; above: number } | { kind: 'none' };

/**
 * After a scroll from `before` to `now`. Only the reader lets go of the end, by going up: neither does the
 * list that grows below, nor a view that became lower or higher. `touched`: the reader's wheel, finger or
 * keys moved a moment ago; without them, who scrolled is told by what else changed.
 */
export function anchorAfterScroll(
  anchor: Anchor,
  before: Metrics,
  now: Metrics,
  reachesPresent: boolean,
  touched: boolean,
): Anchor {
  if (anchor.kind === 'row') return anchor;
  if (isAtEnd(now) && reachesPresent) return { kind: 'end' };
  const resized = now.clientHeight !== before.clientHeight || now.scrollHeight !== before.scrollHeight;
  const up = before.scrollTop - now.scrollTop;
  const byReader = touched ? up > 0 : up > 1 && !resized;
  return anchor.kind === 'end' && !byReader ? anchor : { kind: 'none' };
}

/** A box of the page, as far as it matters here. */
interface Box {
  top: number;
  height: number;
}

/** A row was in view when half of it was, or, when it is higher than the view, its beginning. */
export const wasInView = (row: Box, view: Box) =>
  row.top + Math.min(row.height, view.height) / 2 <= view.top + view.height;
