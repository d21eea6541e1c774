import { describe, expect, it } from 'vitest';

import { anchorAfterScroll, isAtEnd, wantsNewer, wantsOlder } from './scroll-position';

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

  it('stops when the person scrolls up, and starts again at the end', () => {
    expect(anchorAfterScroll(end, END, metrics(END - 200), true)).toEqual(none);
    expect(anchorAfterScroll(none, END - 200, metrics(END - 20), true)).toEqual(end);
  });

  it('goes on when the list grows below the view', () => {
    expect(anchorAfterScroll(end, END, metrics(END, 11_000), true)).toEqual(end);
  });

  it('does not start at the end of what is loaded while there is more to fetch', () => {
    expect(anchorAfterScroll(none, END - 200, metrics(END), false)).toEqual(none);
  });

  it('leaves a row that is just being placed alone', () => {
    const row = { kind: 'row', key: 'x' } as const;
    expect(anchorAfterScroll(row, 0, metrics(END), true)).toEqual(row);
  });
});
