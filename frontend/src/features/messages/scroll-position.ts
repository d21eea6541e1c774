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

/**
 * What the view holds on to when sizes change: the end (new messages come into view), one row (just placed there; `meant` by
 * the address or the first unread one), or nothing (the person reads; the list keeps the place).
 */
export type Anchor = { kind: 'end' } | { kind: 'row'; key: string; meant?: boolean } | { kind: 'none' };

/** After a scroll from `before` to `now`. Only going up lets go of the end: the list growing below does not. */
export function anchorAfterScroll(
  anchor: Anchor,
  before: number,
  now: Metrics,
  reachesPresent: boolean,
): Anchor {
  if (anchor.kind === 'row') return anchor;
  if (isAtEnd(now) && reachesPresent) return { kind: 'end' };
  if (anchor.kind === 'end' && now.scrollTop >= before - 1) return anchor;
  return { kind: 'none' };
}
