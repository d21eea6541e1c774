import { describe, expect, it } from 'vitest';

import { itemOf } from '@/lib/timeline/event';
import { conversation, me, message } from '@/testing/builders';
import { event, room, roomConversation, said } from '@/testing/rooms';
import type { TimelineEvent } from '@/lib/http/types';

import { initialState } from './chat-state';
import type { ChatState } from './chat-state';
import { applyEvents, withConversations, withOwnRoom, withoutRooms } from './events';
import { fromPage } from './timeline';

const arrival = (told: TimelineEvent) => ({ kind: 'message' as const, message: itemOf(told), fresh: true });

function stateWith(change = {}): ChatState {
  const state = withConversations(initialState(me), [roomConversation(change)]);
  const empty = fromPage({ messages: [], has_before: false, has_after: false, complete: true }, 0);
  return { ...state, timelines: { r: empty } };
}

const entryOf = (state: ChatState) => state.conversations.r;
const shown = (state: ChatState) => state.timelines.r?.messages.map(({ kind }) => kind);

describe('what happens in a room', () => {
  it('stands among the messages, and is nothing to read', () => {
    const state = applyEvents(stateWith(), [
      arrival(event('joined', 11)),
      arrival(said(12)),
      arrival(event('topic_sung', 13)),
    ]);
    expect(shown(state)).toEqual(['joined', 'room', 'topic_sung']);
    expect(entryOf(state)).toMatchObject({ unread: 1, last_position: 13 });
    expect(entryOf(state)?.last_message?.position).toBe(12);
    expect(entryOf(state)?.last_event?.position).toBe(13);
  });

  it('is kept when the list is told again, with the newer of both messages', () => {
    const state = applyEvents(stateWith(), [arrival(said(11)), arrival(event('left', 14))]);
    const last_message = itemOf(said(13));
    const told = withConversations(state, [roomConversation({ last_message, last_position: 13 })]);
    expect(entryOf(told)?.last_message?.position).toBe(13);
    expect(entryOf(told)).toMatchObject({ last_position: 14, counted_up_to: 13 });
  });
});

describe('the room as it is told', () => {
  it('wins over answers to older questions only', () => {
    const changed = { kind: 'room' as const, room: room({ title: 'New' }), atMs: 500 };
    const state = applyEvents(stateWith(), [changed]);
    expect(entryOf(withConversations(state, [roomConversation()], 400))?.room?.title).toBe('New');
    expect(entryOf(withConversations(state, [roomConversation()], 600))?.room?.title).toBe('General');
  });

  it('leaves the list, and takes what was said there along, when this person is no longer in it', () => {
    const before = applyEvents(stateWith(), [arrival(said(11))]);
    const gone = applyEvents(before, [{ kind: 'room', room: room({ role: null }), atMs: 1 }]);
    expect(before.order).toEqual(['r']);
    expect(gone.order).toEqual([]);
    expect(gone.timelines.r).toBeUndefined();
    expect(entryOf(gone)).toMatchObject({ unread: 0, last_message: null });
    // Come back.
    expect(withOwnRoom(gone, room(), Date.now()).order).toEqual(['r']);
  });

  it('stays what it was for whoever is no longer in a private one, and is told nothing of it', () => {
    const before = stateWith(roomConversation({ room: room({ visibility: 'private', title: 'Hidden' }) }));
    const told = room({ visibility: 'private', title: '', handle: '', role: null, members: 0 });
    const gone = applyEvents(before, [{ kind: 'room', room: told, atMs: 1 }]);
    expect(entryOf(gone)?.room).toMatchObject({ title: 'Hidden', role: null });
  });

  it('is one that this person was removed from when a whole list is without it', () => {
    const state = stateWith();
    expect(withoutRooms(state, [conversation()], 1).order).toEqual([]);
    expect(withoutRooms(state, [roomConversation()], 1).order).toEqual(['r']);
    // Entered after the list was asked for.
    expect(withoutRooms(withOwnRoom(state, room(), 5), [], 4).order).toEqual(['r']);
  });
});

it('a new room stands above what was said before it was made', () => {
  const old = conversation({ last_message: message(3), last_position: 3 });
  const state = withConversations(initialState(me), [old, roomConversation({ at: '2026-11-22T00:00:00Z' })]);
  expect(state.order).toEqual(['r', 'c']);
  const later = { sent_at: '2026-11-23T00:00:00Z' };
  const answered = applyEvents(state, [{ kind: 'message', message: message(4, later), fresh: true }]);
  expect(answered.order).toEqual(['c', 'r']);
});
