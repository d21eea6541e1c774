// When somebody is not to be disturbed: by the clock on the wall of their own time zone alone.
import type { Day, General, QuietSchedule, QuietWindow } from './settings';

export const DAYS: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

const WEEKDAYS: Record<string, number> = { Mon: 0, Tue: 1, Wed: 2, Thu: 3, Fri: 4, Sat: 5, Sun: 6 };
/** Making one is slow, and there is one schedule. */
const clocks = new Map<string, Intl.DateTimeFormat | null>();

export const isQuiet = ({ dnd_until, dnd_schedule }: General, nowMs: number): boolean =>
  (dnd_until !== null && nowMs < Date.parse(dnd_until)) ||
  (dnd_schedule !== null && isInSchedule(dnd_schedule, nowMs));

export function isInSchedule({ time_zone, windows }: QuietSchedule, nowMs: number): boolean {
  const now = onTheWall(time_zone, nowMs);
  return now !== null && windows.some((window) => isInWindow(window, now));
}

interface OnTheWall {
  /** From Monday. */
  day: number;
  minute: number;
}

/** Null in a time zone that this browser does not know: then nothing is kept quiet here. */
function onTheWall(timeZone: string, nowMs: number): OnTheWall | null {
  const clock = clockOf(timeZone);
  if (!clock) return null;
  const parts = Object.fromEntries(clock.formatToParts(nowMs).map(({ type, value }) => [type, value]));
  const { weekday = '', hour, minute } = parts;
  return { day: WEEKDAYS[weekday] ?? 0, minute: Number(hour) * 60 + Number(minute) };
}

function clockOf(timeZone: string): Intl.DateTimeFormat | null {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  let made: Intl.DateTimeFormat | null = null;
  try {
    made = new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  } catch {
    // Not one that it knows.
  }
  clocks.set(timeZone, made);
  return made;
}

function isInWindow({ days, from, to }: QuietWindow, { day, minute }: OnTheWall): boolean {
  const [begin, end] = [minuteOf(from), minuteOf(to)];
  const begins = (on: number) => days.includes(DAYS[(on + 7) % 7] ?? 'mon');
  if (end > begin) return begins(day) && minute >= begin && minute < end;
  return (begins(day) && minute >= begin) || (begins(day - 1) && minute < end);
}

function minuteOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number);
  return (hours ?? 0) * 60 + (minutes ?? 0);
}
