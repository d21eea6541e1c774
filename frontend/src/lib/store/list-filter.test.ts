import { expect, it } from 'vitest';

import { conversation, me, message } from '@/testing/builders';
import { roomConversation } from '@/testing/rooms';

import { initialState } from './chat-state';
import { withConversations } from './events';
import { shownIds } from './list-filter';

it('shows what was asked for, and what is open', () => {
  const state = withConversations(initialState(me), [
    conversation({ last_message: message(9), unread: 2, last_position: 9 }),
    conversation({ id: 'd', last_message: message(8) }),
    roomConversation(),
  ]);
  expect(shownIds(state, 'all', null)).toBe(state.order);
  expect(shownIds(state, 'unread', null)).toEqual(['c']);
  expect(shownIds(state, 'unread', 'r')).toEqual(['c', 'r']);
  expect(shownIds(state, 'people', 'r')).toEqual(['c', 'd']);
  expect(shownIds(state, 'rooms', null)).toEqual(['r']);
});
