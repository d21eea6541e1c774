import { describe, expect, it } from 'vitest';

import { anchorAfterScroll, isAtEnd, wantsNewer, wantsOlder, wasInView } from './scroll-position';

const metrics = (scrollTop: number, scrollHeight = 10_000, clientHeight = 600) => ({
  scrollTop,
  scrollHeight,
  clientHeight,
});
const END = 10_000 - 600;

describe('fetching ahead', () => {
  it('begins one and a half screens before the end of what is loaded', () => {
    expect(wantsOlder(metrics(900))).toBe(false);
    expect(wantsOlder(metrics(899))).toBe(true);
    expect(wantsNewer(metrics(END - 900))).toBe(false);
    expect(wantsNewer(metrics(END - 899))).toBe(true);
  });

  it('is wanted both ways when everything fits the view', () => {
    expect(wantsOlder(metrics(0, 600))).toBe(true);
    expect(wantsNewer(metrics(0, 600))).toBe(true);
    expect(isAtEnd(metrics(0, 600))).toBe(true);
  });
});

describe('following the end', () => {
  const end = { kind: 'end' } as const;
  const none = { kind: 'none' } as const;
  const atEnd = metrics(END);

  it('stops when the person scrolls up, and starts again at the end', () => {
    expect(anchorAfterScroll(end, atEnd, metrics(END - 200), true, false)).toEqual(none);
    expect(anchorAfterScroll(none, metrics(END - 200), metrics(END - 20), true, true)).toEqual(end);
  });

  it('goes on when the list grows below the view', () => {
    expect(anchorAfterScroll(end, atEnd, metrics(END, 11_000), true, false)).toEqual(end);
  });

  it('goes on when the view became higher, which scrolls it, and lower again', () => {
    expect(anchorAfterScroll(end, atEnd, metrics(END - 180, 10_000, 600), true, false)).toEqual(none);
    const higher = metrics(END - 180, 10_000, 590);
    expect(anchorAfterScroll(end, atEnd, higher, true, false)).toEqual(end);
    // A reader who scrolls up while rows get their real sizes does leave the end.
    expect(anchorAfterScroll(end, atEnd, metrics(END - 180, 10_020), true, true)).toEqual(none);
  });

  it('does not start at the end of what is loaded while there is more to fetch', () => {
    expect(anchorAfterScroll(none, metrics(END - 200), atEnd, false, true)).toEqual(none);
  });

  it('leaves a row that is just being placed alone', () => {
    const row = { kind: 'row', key: 'x', above: 72 } as const;
    expect(anchorAfterScroll(row, metrics(0), atEnd, true, true)).toEqual(row);
  });
});

describe('what was in view', () => {
  const view = { top: 100, height: 600 };

  it('is a row of which half is above the lower edge, or the beginning of one higher than the view', () => {
    expect(wasInView({ top: 650, height: 100 }, view)).toBe(true);
    expect(wasInView({ top: 651, height: 100 }, view)).toBe(false);
    expect(wasInView({ top: 400, height: 5_000 }, view)).toBe(true);
    expect(wasInView({ top: 401, height: 5_000 }, view)).toBe(false);
  });
});
