import { expect, it } from 'vitest';

import { initialState } from '@/lib/store/chat-state';
import { applyEvents, withConversations } from '@/lib/store/events';
import { anna, conversation, me, message } from '@/testing/builders';

import { cameTo } from './reports';

const nobody = initialState(me);
const theirs = (position: number) => message(position, { sender: anna.id });
const arrival = (position: number, change = {}) => ({
  kind: 'message' as const,
  message: message(position, { sender: anna.id, ...change }),
  fresh: true,
});
const listed = withConversations(nobody, [
  conversation({ last_message: theirs(10), last_position: 10, last_read: 8, unread: 1 }),
]);

it('is what the list says is unread', () => {
  expect(cameTo(listed, nobody)).toEqual([['c', 10]]);
});

it('is the newest of what arrives, once', () => {
  const next = applyEvents(listed, [arrival(11), arrival(12)]);
  expect(cameTo(next, listed)).toEqual([['c', 12]]);
  expect(cameTo(next, next)).toEqual([]);
  const read = applyEvents(next, [{ kind: 'read', conversation: 'c', position: 11 }]);
  expect(cameTo(read, next)).toEqual([]);
});

it('is not what was read, what one wrote oneself, or what was said in a room', () => {
  const read = conversation({ last_message: theirs(10), last_position: 10, last_read: 10 });
  expect(cameTo(withConversations(nobody, [read]), nobody)).toEqual([]);
  expect(cameTo(applyEvents(listed, [arrival(11, { sender: me.id })]), listed)).toEqual([]);
  const { person: _, ...room } = conversation({ last_message: theirs(10), last_position: 10 });
  expect(cameTo(withConversations(nobody, [{ ...room, kind: 'room' }]), nobody)).toEqual([]);
});
