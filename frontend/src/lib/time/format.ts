// Times as people read them, in the language and zone of the browser. Formatters are made once: making one is slow. What depends on
// the present takes it as `now`; a page that stays open has it from ./periods.

const language = typeof navigator === 'undefined' ? 'en' : navigator.language;
const clock = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(language, { weekday: 'short' });
const dayOfYear = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' });
const date = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', year: 'numeric' });
const longDay = new Intl.DateTimeFormat(language, { weekday: 'long', day: 'numeric', month: 'long' });
const longDate = new Intl.DateTimeFormat(language, {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});
const full = new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'medium' });

/** Midnight at the beginning of the local day, in ms: equal for two times of the same day. */
export function dayOf(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** Whole days from `ms` to `now`, by the calendar. Rounded, because days can have 23 or 25 hours. */
const daysAgo = (ms: number, now: number) => Math.round((dayOf(now) - dayOf(ms)) / 86_400_000);

export const clockTime = (ms: number) => clock.format(ms);
export const fullTime = (ms: number) => full.format(ms);

/** For a list: as short as it can be. */
export function shortTime(ms: number, now: number): string {
  const days = daysAgo(ms, now);
  if (days <= 0) return clock.format(ms);
  if (days === 1) return 'Yesterday';
  if (days < 7) return weekday.format(ms);
  return sameYear(ms, now) ? dayOfYear.format(ms) : date.format(ms);
}

/** In a sentence: how long ago, then the day. */
export function agoTime(ms: number, now: number): string {
  const minutes = Math.max(0, Math.round((now - ms) / 60_000));
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const days = daysAgo(ms, now);
  if (days === 0) return `today at ${clock.format(ms)}`;
  if (days === 1) return `yesterday at ${clock.format(ms)}`;
  return sameYear(ms, now) ? `on ${dayOfYear.format(ms)}` : `on ${date.format(ms)}`;
}

/** For the line between two days. */
export function dayTitle(ms: number, now: number): string {
  const days = daysAgo(ms, now);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return sameYear(ms, now) ? longDay.format(ms) : longDate.format(ms);
}

const sameYear = (a: number, b: number) => new Date(a).getFullYear() === new Date(b).getFullYear();
