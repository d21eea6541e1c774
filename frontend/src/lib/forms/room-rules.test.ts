import { describe, expect, it } from 'vitest';

import { handleError, handleFor, titleError, topicError } from './room-rules';

describe('the rules of a room are those of the server', () => {
  it.each(['ab', 'general', '2026.letters_to-m', 'x'.repeat(32)])('#%s is good', (handle) => {
    expect(handleError(handle)).toBeNull();
  });

  it.each(['', 'a', 'x'.repeat(33), 'General', 'käfer', 'a b', '-ab', '.ab'])('#%s is not', (handle) => {
    expect(handleError(handle)).not.toBeNull();
  });

  it('counts characters, and wants something to see', () => {
    expect(titleError('名'.repeat(80))).toBeNull();
    expect(titleError('名'.repeat(81))).toBe('At most 80 characters: 1 too many.');
    for (const title of ['', '  ', 'a\tb', 'a\u202eb', '\u3164']) expect(titleError(title)).not.toBeNull();
    expect(topicError('')).toBeNull();
    expect(topicError('x'.repeat(251))).not.toBeNull();
  });
});

it.each([
  ['Letters to Milena', 'letters-to-milena'],
  ['Straße & Café №1', 'strasse-cafe-no1'],
  ['  …Tram, line 5!', 'tram-line-5'],
  ['信件', ''],
  ['a'.repeat(31) + ' b', 'a'.repeat(31)],
])('%j may go by #%s', (title, handle) => {
  expect(handleFor(title)).toBe(handle);
});
