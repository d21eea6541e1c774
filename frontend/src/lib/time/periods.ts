// The present day and minute as something that changes: what says “Today” or “5 min ago” must not go on
// saying it. One timer for all who look; the page coming back into view is a reason to look, too, because
// timers sleep with the machine.
import { useSyncExternalStore } from 'react';

import { dayOf } from './format';

const MINUTE_MS = 60_000;

/** Midnight at the end of the local day; days can have 23 or 25 hours. */
export const endOfDay = (now: number) => new Date(now).setHours(24, 0, 0, 0);
const minuteOf = (ms: number) => Math.floor(ms / MINUTE_MS) * MINUTE_MS;

const days = periods(dayOf, endOfDay);
const minutes = periods(minuteOf, (now) => minuteOf(now) + MINUTE_MS);

/** Midnight at the beginning of today, in ms. */
export const useToday = () => useSyncExternalStore(days.subscribe, days.current);

/** The beginning of this minute, in ms. */
export const useMinute = () => useSyncExternalStore(minutes.subscribe, minutes.current);

function periods(beginOf: (now: number) => number, endOf: (now: number) => number) {
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function tell() {
    clearTimeout(timer);
    const now = Date.now();
    timer = setTimeout(tell, endOf(now) - now);
    for (const listener of listeners) listener();
  }

  function subscribe(listener: () => void) {
    listeners.add(listener);
    if (listeners.size === 1) {
      tell();
      document.addEventListener('visibilitychange', tell);
    }
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', tell);
    };
  }

  return { subscribe, current: () => beginOf(Date.now()) };
}
