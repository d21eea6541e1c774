import { expect, it } from 'vitest';

import { formatsOf } from './format';

const at = new Date('2026-11-25T17:10:05').getTime();
const spaced = (text: string) => text.replace(/\s/gu, ' ');

it.each([
  ['en-US', '5:10 PM', 'Wednesday, November 25, 2026'],
  ['en-GB', '17:10', 'Wednesday 25 November 2026'],
  ['de-DE', '17:10', 'Wednesday 25 November 2026'],
  ['cs-CZ', '17:10', 'Wednesday 25 November 2026'],
  ['en-US-u-hc-h23', '17:10', 'Wednesday, November 25, 2026'],
  ['ja-JP', '17:10', 'Wednesday, November 25, 2026'],
])('of %s: %s, %s', (person, clock, date) => {
  const formats = formatsOf('en', person);
  expect(spaced(formats.clock.format(at))).toBe(clock);
  expect(spaced(formats.longDate.format(at)).replaceAll(',', '')).toBe(date.replaceAll(',', ''));
  expect(spaced(formats.seconds.format(at))).toMatch(person === 'en-US' ? /^5:10:05 PM$/ : /^17:10:05$/);
});

it('has the first hours of a day without a nought where people write none', () => {
  const early = new Date('2026-11-25T09:05:00').getTime();
  expect(spaced(formatsOf('en', 'en-US').clock.format(early))).toBe('9:05 AM');
  expect(formatsOf('en', 'en-GB').clock.format(early)).toBe('09:05');
});
