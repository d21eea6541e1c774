import { act, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { agoTime, dayTitle, shortTime } from './format';
import { endOfDay, useMinute, useToday } from './periods';

const at = (time: string) => new Date(`2026-11-${time}`).getTime();

beforeEach(() => void vi.useFakeTimers({ now: at('21T23:59:30') }));
afterEach(() => void vi.useRealTimers());

describe('today', () => {
  it('is over at midnight, and the next one, too', () => {
    const sent = at('21T23:00:00');
    const { result } = renderHook(() => [dayTitle(sent, useToday()), shortTime(sent, useToday())]);
    expect(result.current[0]).toBe('Today');
    act(() => void vi.advanceTimersByTime(29_999));
    expect(result.current[0]).toBe('Today');
    act(() => void vi.advanceTimersByTime(1));
    expect(result.current).toEqual(['Yesterday', 'Yesterday']);
    act(() => void vi.advanceTimersByTime(24 * 3_600_000));
    expect(result.current[0]).not.toMatch(/day$|^Yesterday$/);
  });

  it('is looked at again when the page comes into view: timers sleep with the machine', () => {
    const { result } = renderHook(() => dayTitle(at('21T23:00:00'), useToday()));
    vi.setSystemTime(at('22T08:00:00'));
    act(() => void document.dispatchEvent(new Event('visibilitychange')));
    expect(result.current).toBe('Yesterday');
  });

  it('leaves no timer behind, and one for all who look', () => {
    const hooks = [1, 2, 3].map(() => renderHook(() => useToday()));
    expect(vi.getTimerCount()).toBe(1);
    for (const { unmount } of hooks) unmount();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends when the calendar says so', () => {
    expect(endOfDay(at('21T00:00:00'))).toBe(at('22T00:00:00'));
    // Two days of the year have 23 or 25 hours where clocks change.
    for (let day = 1; day <= 365; day += 1) {
      const noon = new Date(2026, 0, day, 12).getTime();
      expect(new Date(endOfDay(noon)).getHours()).toBe(0);
      expect(endOfDay(noon)).toBe(new Date(2026, 0, day + 1).getTime());
    }
  });
});

describe('minutes', () => {
  it('pass while one looks', () => {
    const seen = at('21T23:58:10');
    const { result } = renderHook(() => agoTime(seen, useMinute()));
    expect(result.current).toBe('1 min ago');
    act(() => void vi.advanceTimersByTime(5 * 60_000));
    expect(result.current).toBe('6 min ago');
  });

  it('what was a moment ago is not in the future', () => {
    const { result } = renderHook(() => agoTime(Date.now(), useMinute()));
    expect(result.current).toBe('just now');
  });
});
