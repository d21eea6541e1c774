import { expect, it } from 'vitest';

import { untilOf, USUAL } from './status-choices';

const at = (day: number, hour: number) => new Date(2026, 10, day, hour, 15).getTime();
const local = (text: string | null) => text && new Date(text).toString().slice(0, 21);

it('ends by the clock on the wall', () => {
  // A Monday.
  const now = at(30, 23);
  expect(local(untilOf('half-hour', now))).toBe('Mon Nov 30 2026 23:45');
  expect(local(untilOf('hour', now))).toBe('Tue Dec 01 2026 00:15');
  expect(local(untilOf('today', now))).toBe('Mon Nov 30 2026 23:59');
  expect(local(untilOf('week', now))).toBe('Sun Dec 06 2026 23:59');
  expect(untilOf('open', now)).toBeNull();
});

it('ends a week on its Sunday, also on that day', () => {
  expect(local(untilOf('week', at(29, 8)))).toBe('Sun Nov 29 2026 23:59');
});

it('has nothing usual that is too long', () => {
  for (const { text } of USUAL) expect(text.length).toBeLessThanOrEqual(100);
});
