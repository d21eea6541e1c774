import { expect, it } from 'vitest';

import { room } from '@/testing/rooms';

import { isAbove, rightsIn } from './room-rights';

/** What is allowed, by the first letters of the rights. */
const allowed = (change: Parameters<typeof room>[0]) =>
  Object.entries(rightsIn(room(change)))
    .filter(([, yes]) => yes)
    .map(([right]) => right)
    .join(' ');

it('grows with the role, and shrinks when the room is archived', () => {
  expect(allowed({ role: null })).toBe('');
  expect(allowed({ role: 'member' })).toBe('write add');
  expect(allowed({ role: 'member', posting: 'moderators' })).toBe('add');
  expect(allowed({ role: 'moderator', posting: 'moderators' })).toBe('write add describe moderate');
  expect(allowed({ role: 'owner' })).toBe('write add describe own moderate');
  expect(allowed({ role: 'member', archived: true })).toBe('');
  expect(allowed({ role: 'owner', archived: true })).toBe('own moderate');
});

it('sends away only whom one stands above; owners everybody', () => {
  expect(isAbove('owner', 'owner')).toBe(true);
  expect(isAbove('moderator', 'member')).toBe(true);
  expect(isAbove('moderator', 'moderator')).toBe(false);
  expect(isAbove('member', 'member')).toBe(false);
  expect(isAbove(null, 'member')).toBe(false);
});
