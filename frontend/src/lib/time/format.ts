// Times as people read them: the clock in the person's own form (their locale's, with its hour cycle), dates
// in the language of the page, because they stand among its words, in the order of the person's region.
// Formatters are made once: making one is slow. What depends on the present takes it as `now`; a page that
// stays open has it from ./periods.

/** `person`: their locale, by default the one that the browser formats with. */
export function formatsOf(page: string, person: string | undefined) {
  const own = new Intl.DateTimeFormat(person, { timeStyle: 'short' });
  const { locale, hourCycle } = own.resolvedOptions();
  const dates = inRegionOf(page, locale);
  const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(dates, options);
  return {
    clock: own,
    weekday: format({ weekday: 'short' }),
    dayOfYear: format({ day: 'numeric', month: 'short' }),
    date: format({ day: 'numeric', month: 'short', year: 'numeric' }),
    longDay: format({ weekday: 'long', day: 'numeric', month: 'long' }),
    longDate: format({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    fullDay: format({ dateStyle: 'full' }),
    seconds: new Intl.DateTimeFormat(person, { timeStyle: 'medium', ...(hourCycle ? { hourCycle } : {}) }),
  };
}

/** The language of the page as it is written where the person is: `en` and `de-AT` make `en-AT`. */
function inRegionOf(page: string, person: string): string {
  const { region } = new Intl.Locale(person).maximize();
  const { language } = new Intl.Locale(page);
  return region === undefined ? language : `${language}-${region}`;
}

const page = typeof document === 'undefined' ? '' : document.documentElement.lang;
const { clock, weekday, dayOfYear, date, longDay, longDate, fullDay, seconds } = formatsOf(
  page === '' ? 'en' : page,
  undefined,
);

/** Midnight at the beginning of the local day, in ms: equal for two times of the same day. */
export function dayOf(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** Whole days from `ms` to `now`, by the calendar. Rounded, because days can have 23 or 25 hours. */
const daysAgo = (ms: number, now: number) => Math.round((dayOf(now) - dayOf(ms)) / 86_400_000);

export const clockTime = (ms: number) => clock.format(ms);
export const fullTime = (ms: number) => `${fullDay.format(ms)}, ${seconds.format(ms)}`;
/** For text that leaves the page. */
export const dateTime = (ms: number) => `${date.format(ms)} ${clock.format(ms)}`;

/** For a list: as short as it can be. */
export function shortTime(ms: number, now: number): string {
  const days = daysAgo(ms, now);
  if (days <= 0) return clock.format(ms);
  if (days === 1) return 'Yesterday';
  if (days < 7) return weekday.format(ms);
  return sameYear(ms, now) ? dayOfYear.format(ms) : date.format(ms);
}

/** Beside what stands alone: today the clock says enough. */
export const dayAndTime = (ms: number, now: number): string =>
  daysAgo(ms, now) <= 0 ? clock.format(ms) : `${shortTime(ms, now)} ${clock.format(ms)}`;

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

/** In a sentence about somebody who was here: with the time of the day as long as one remembers the day. */
export function sinceTime(ms: number, now: number): string {
  const minutes = Math.floor((now - ms) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes === 1) return 'a minute ago';
  if (minutes < 60) return `${minutes} minutes ago`;
  return agoTime(ms, now);
}

/** For the line between two days. */
export function dayTitle(ms: number, now: number): string {
  const days = daysAgo(ms, now);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return sameYear(ms, now) ? longDay.format(ms) : longDate.format(ms);
}

const sameYear = (a: number, b: number) => new Date(a).getFullYear() === new Date(b).getFullYear();
