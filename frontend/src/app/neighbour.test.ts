import { describe, expect, it } from 'vitest';

import { neighbour } from './neighbour';

const order = ['a', 'b', 'c', 'd', 'e'];
const one = (of: string) => (id: string) => of.includes(id);

describe('the next conversation', () => {
  it('is below or above, and nothing lies beyond the ends', () => {
    expect(neighbour(order, 'b', 1)).toBe('c');
    expect(neighbour(order, 'b', -1)).toBe('a');
    expect(neighbour(order, 'e', 1)).toBeUndefined();
    expect(neighbour(order, 'a', -1)).toBeUndefined();
  });

  it('is the first one when none, or one outside the list, is open', () => {
    for (const from of [null, 'gone']) {
      expect(neighbour(order, from, 1)).toBe('a');
      expect(neighbour(order, from, -1)).toBe('a');
    }
    expect(neighbour<string>([], null, 1)).toBeUndefined();
  });
});

describe('the next unread conversation', () => {
  it('is the nearest in the direction, then on from the other end', () => {
    expect(neighbour(order, 'c', 1, one('bde'))).toBe('d');
    expect(neighbour(order, 'c', -1, one('abd'))).toBe('b');
    expect(neighbour(order, 'c', 1, one('ab'))).toBe('a');
    expect(neighbour(order, 'c', -1, one('de'))).toBe('e');
  });

  it('is never the open one', () => {
    expect(neighbour(order, 'c', 1, one('c'))).toBeUndefined();
    expect(neighbour(order, 'c', -1, one('c'))).toBeUndefined();
  });

  it('is looked for from the ends when none is open', () => {
    expect(neighbour(order, null, 1, one('bd'))).toBe('b');
    expect(neighbour(order, null, -1, one('bd'))).toBe('d');
  });
});
