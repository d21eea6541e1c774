import { describe, expect, it } from 'vitest';

import { anna, conversation, me, message, page } from '@/testing/builders';

import { initialState } from './chat-state';
import type { ChatState } from './chat-state';
import { UNREAD_MAX_COUNT } from './conversation-entry';
import { applyEvents, readUpTo, withConversations, withOutbox } from './events';
import { fromPage } from './timeline';

const ben = { id: 'ben', username: 'ben', display_name: 'Ben' };

function stateWith(change = {}): ChatState {
  const known = conversation({ last_message: message(10), last_position: 10, last_read: 10, ...change });
  return withConversations(initialState(me), [known]);
}

const arrival = (position: number, change = {}, fresh = true) => ({
  kind: 'message' as const,
  message: message(position, change),
  fresh,
});

describe('what has come to the other one', () => {
  it('only grows, and outlives the list', () => {
    const delivered = (position: number) => ({ kind: 'delivered' as const, conversation: 'c', position });
    const state = applyEvents(stateWith(), [delivered(9), delivered(7)]);
    expect(state.conversations.c?.other_has).toBe(9);
    expect(withConversations(state, [conversation({})]).conversations.c?.other_has).toBe(9);
  });
});

describe('what the other one has read', () => {
  it('only grows, live and by the list', () => {
    const seen = (position: number) => ({ kind: 'seen' as const, conversation: 'c', position });
    const state = applyEvents(stateWith({ other_last_read: 4 }), [seen(9), seen(7)]);
    expect(state.conversations.c?.other_last_read).toBe(9);
    expect(applyEvents(state, [seen(9)]).conversations).toBe(state.conversations);
    const older = conversation({ last_position: 10, last_read: 10, other_last_read: 8 });
    expect(withConversations(state, [older]).conversations.c?.other_last_read).toBe(9);
    const newer = applyEvents(state, [arrival(11)]);
    const late = conversation({ last_position: 10, last_read: 10, other_last_read: 10 });
    expect(withConversations(newer, [late]).conversations.c).toMatchObject({
      last_position: 11,
      other_last_read: 10,
    });
  });
});

describe('unread', () => {
  it('counts what others write beyond the read position', () => {
    const state = applyEvents(stateWith(), [arrival(11), arrival(12), arrival(13, { sender: me.id })]);
    expect(state.conversations.c?.unread).toBe(2);
  });

  it('counts a message once, also when it comes again', () => {
    const state = applyEvents(stateWith(), [arrival(12), arrival(12, {}, false)]);
    expect(state.conversations.c?.unread).toBe(1);
  });

  it('counts one that comes after a newer one', () => {
    const state = applyEvents(stateWith(), [arrival(12), arrival(11)]);
    expect(state.conversations.c?.unread).toBe(2);
    expect(state.conversations.c?.last_position).toBe(12);
  });

  it('does not count what the server counted already', () => {
    const state = applyEvents(stateWith({ last_read: 5, unread: 3 }), [arrival(9), arrival(10)]);
    expect(state.conversations.c?.unread).toBe(3);
  });

  it('is bounded', () => {
    const state = applyEvents(stateWith({ unread: UNREAD_MAX_COUNT, last_read: 1 }), [arrival(11)]);
    expect(state.conversations.c?.unread).toBe(UNREAD_MAX_COUNT);
  });

  it('goes with reading, here or elsewhere, and never comes back', () => {
    const unread = applyEvents(stateWith(), [arrival(11), arrival(12)]);
    expect(readUpTo(unread, 'c', 12).conversations.c?.unread).toBe(0);
    const elsewhere = applyEvents(unread, [{ kind: 'read', conversation: 'c', position: 12 }]);
    expect(elsewhere.conversations.c?.unread).toBe(0);
    expect(readUpTo(elsewhere, 'c', 11)).toBe(elsewhere);
  });

  it('falls by what is read of the messages in view', () => {
    let state = stateWith();
    state = { ...state, timelines: { c: fromPage(page([10]), 10) } };
    state = applyEvents(state, [arrival(11), arrival(12), arrival(13)]);
    expect(readUpTo(state, 'c', 12).conversations.c?.unread).toBe(1);
  });

  it('keeps what was read here when an older answer of the server comes', () => {
    const read = readUpTo(applyEvents(stateWith(), [arrival(11)]), 'c', 11);
    const answer = conversation({ last_message: message(11), last_position: 11, last_read: 10, unread: 1 });
    expect(withConversations(read, [answer]).conversations.c).toMatchObject({ last_read: 11, unread: 0 });
  });

  it('keeps what came live when an older answer of the server comes', () => {
    const live = applyEvents(stateWith(), [arrival(11)]);
    const answer = conversation({ last_message: message(10), last_position: 10, last_read: 10 });
    expect(withConversations(live, [answer]).conversations.c).toMatchObject({
      last_position: 11,
      unread: 1,
    });
  });
});

describe('what was read elsewhere, while something newer came live', () => {
  const behind = () => applyEvents(stateWith({ last_read: 2, unread: 5 }), [arrival(11), arrival(12)]);
  const read = (position: number) => ({ kind: 'read' as const, conversation: 'c', position });

  it('is no longer counted, by its mark', () => {
    const state = applyEvents(behind(), [read(10)]);
    expect(state.conversations.c).toMatchObject({ last_read: 10, unread: 2 });
    expect(applyEvents(state, [read(11)]).conversations.c?.unread).toBe(1);
    expect(applyEvents(state, [read(11), arrival(13), read(13)]).conversations.c?.unread).toBe(0);
  });

  it('is no longer counted, by the list', () => {
    const answer = conversation({ last_message: message(10), last_position: 10, last_read: 10, unread: 0 });
    expect(withConversations(behind(), [answer]).conversations.c).toMatchObject({
      last_read: 10,
      last_position: 12,
      unread: 2,
    });
    const later = conversation({ last_message: message(11), last_position: 11, last_read: 8, unread: 2 });
    expect(withConversations(behind(), [later]).conversations.c).toMatchObject({ last_read: 8, unread: 3 });
  });

  it('is not counted again by an answer that another one has overtaken, or that a mark has', () => {
    const newer = conversation({ last_message: message(12), last_position: 12, last_read: 10, unread: 2 });
    const state = withConversations(behind(), [newer]);
    const late = conversation({ last_message: message(10), last_position: 10, last_read: 2, unread: 5 });
    expect(withConversations(state, [late]).conversations.c?.unread).toBe(2);
    const half = readUpTo(
      { ...stateWith({ last_read: 2, unread: 5 }), timelines: { c: fromPage(page([3, 4, 10]), 10) } },
      'c',
      4,
    );
    expect(half.conversations.c?.unread).toBe(3);
    const unaware = conversation({ last_message: message(10), last_position: 10, last_read: 2, unread: 5 });
    expect(withConversations(half, [unaware]).conversations.c).toMatchObject({ last_read: 4, unread: 3 });
  });
});

describe('the list', () => {
  it('has the latest activity first', () => {
    const other = conversation({
      id: 'd',
      person: ben,
      last_message: message(3, { conversation: 'd' }),
      last_position: 3,
    });
    let state = withConversations(stateWith(), [other]);
    expect(state.order).toEqual(['c', 'd']);
    state = applyEvents(state, [arrival(4, { conversation: 'd', sent_at: '2026-11-21T10:00:00.000Z' })]);
    expect(state.order).toEqual(['d', 'c']);
  });

  it('gets a conversation with the first message that one sends', () => {
    const state = { ...initialState(me), people: { anna } };
    const after = applyEvents(state, [arrival(4, { conversation: 'new', sender: me.id, to: anna.id })]);
    expect(after.order).toEqual(['new']);
    expect(after.conversations.new).toMatchObject({ kind: 'direct', others: ['anna'] });
    expect(after.timelines.new).toMatchObject({
      status: 'ready',
      hasBefore: true,
      messages: [{ position: 4 }],
    });
  });

  it('waits for the server to name the person who writes first', () => {
    const state = initialState(me);
    expect(applyEvents(state, [arrival(4, { conversation: 'new' })]).order).toEqual([]);
  });
});

describe('one step', () => {
  it('takes a burst, with a gap in it', () => {
    let state = stateWith();
    state = { ...state, timelines: { c: fromPage(page([9, 10]), 10) } };
    state = applyEvents(state, [
      arrival(11),
      { kind: 'gap', conversation: 'c', after: 11 },
      arrival(90),
      arrival(91),
    ]);
    expect(state.timelines.c?.messages.map(({ position }) => position)).toEqual([9, 10, 11]);
    expect(state.timelines.c?.hasAfter).toBe(true);
    expect(state.conversations.c?.last_position).toBe(91);
  });

  it('leaves what it does not touch as it was', () => {
    const state = withConversations(stateWith(), [conversation({ id: 'd', person: ben })]);
    const after = applyEvents(state, [arrival(11)]);
    expect(after.conversations.d).toBe(state.conversations.d);
    expect(applyEvents(state, [])).toBe(state);
  });
});

describe('the outbox', () => {
  const item = {
    client_id: 'x',
    owner: 'me',
    page: 'p',
    conversation: 'c',
    to: 'anna',
    body: 'b',
    created_at: 1,
    status: 'queued' as const,
  };

  it('is grouped by conversation, and keeps the lanes that did not change', () => {
    const other = { ...item, client_id: 'y', conversation: 'd', to: 'ben' };
    const first = withOutbox(initialState(me), [item, other]);
    const second = withOutbox(first, [item, { ...other, status: 'sending' }]);
    expect(second.outbox.c).toBe(first.outbox.c);
    expect(second.outbox.d).not.toBe(first.outbox.d);
    expect(withOutbox(second, []).outbox).toEqual({});
  });
});
