// A session and the rooms of its person: frames, history with events, actions, names.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError } from '@/lib/http/api-error';
import { itemOf } from '@/lib/timeline/event';
import { conversationPage } from '@/testing/builders';
import { endAll, start } from '@/testing/chat-sessions';
import { welcome } from '@/testing/fake-socket';
import { event, mine, room, roomConversation, said } from '@/testing/rooms';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  endAll();
  vi.useRealTimers();
});

const list = async () => conversationPage([roomConversation()]);
const events = async () => ({
  events: [event('room_created', 5, mine), said(6)],
  has_before: false,
  has_after: false,
  complete: true,
});

const NOTHING = { has_before: false, has_after: false, complete: true };

async function inRoom() {
  const test = start();
  test.api.conversations.mockImplementation(list);
  test.api.events.mockImplementation(events);
  test.chat.start();
  await test.goLive();
  test.chat.history.open('r');
  await test.settle();
  const kinds = () => test.state().timelines.r?.messages.map(({ kind }) => kind);
  return { ...test, kinds };
}

describe('a room', () => {
  it('shows what happened in it, from history and live, once each', async () => {
    const { sockets, settle, kinds } = await inRoom();
    const joined = { type: 'event', event: event('joined', 7) };
    sockets.current().receive(joined);
    sockets.current().receive(joined);
    await settle();
    expect(kinds()).toEqual(['room_created', 'room', 'joined']);
  });

  it('tells of messages, not of events', async () => {
    const { chat, sockets, settle } = await inRoom();
    const heard = vi.fn();
    chat.onArrivals(heard);
    sockets.current().receive({ type: 'event', event: event('joined', 7) });
    await settle();
    expect(heard).not.toHaveBeenCalled();
    const message = { id: 'x', conversation: 'r', kind: 'room', sender: 'anna', position: 8, body: 'hi' };
    sockets.current().receive({ type: 'message', ...message, sent_at: '2026-11-21T10:00:00Z' });
    await settle();
    expect(heard).toHaveBeenCalledOnce();
  });

  it('takes a message by its id, without a person', async () => {
    const { chat, sockets, settle, state } = await inRoom();
    chat.send({ conversation: 'r', to: null }, { body: 'hello' });
    await settle();
    const [sent] = sockets.current().sentOf('send');
    expect(sent).toMatchObject({ conversation: 'r', body: 'hello' });
    expect(sent?.to).toBeUndefined();
    sockets.current().receive({
      type: 'accepted',
      client_id: sent?.client_id,
      id: 'x',
      conversation: 'r',
      position: 9,
      sent_at: '2026-11-21T10:00:00Z',
    });
    await settle();
    expect(state().conversations.r?.last_message).toMatchObject({ kind: 'room', body: 'hello' });
  });

  it('is gone with its messages when somebody removes this person', async () => {
    const { chat, sockets, settle, state } = await inRoom();
    sockets.current().receive({ type: 'event', event: event('removed', 9, { user: 'me' }) });
    sockets.current().receive({ type: 'room', room: room({ role: null }) });
    await settle();
    expect(state().order).toEqual([]);
    expect(state().timelines.r).toBeUndefined();
    expect(state().conversations.r?.last_event?.event).toMatchObject({ kind: 'removed', actor: 'anna' });
    // An answer that was under way brings nothing back.
    expect(chat.store.getState().timelines.r).toBeUndefined();
  });

  it('is gone when the server no longer knows it, too', async () => {
    const { chat, api, state } = await inRoom();
    api.conversation.mockRejectedValue(new ApiError({ status: 404, code: 'unknown_conversation' }));
    await vi.advanceTimersByTimeAsync(1);
    await chat.conversations.one('r').catch(() => undefined);
    expect(state().order).toEqual([]);
  });

  it('that one comes into elsewhere is asked for', async () => {
    const { sockets, api, settle, state } = await inRoom();
    api.conversation.mockResolvedValue(roomConversation({ id: 'r2' }, { id: 'r2', title: 'Other' }));
    sockets.current().receive({ type: 'room', room: room({ id: 'r2', title: 'Other' }) });
    await settle();
    expect(api.conversation).toHaveBeenCalledWith('r2');
    expect(state().conversations.r2?.room?.title).toBe('Other');
  });
});

describe('coming back into a room', () => {
  const LIMITS = { ...welcome().limits, mentions_max: 50 };
  const deleted = { position: 9, by: 'anna' };

  /** The page holds two messages; of both something was said while nobody told it. */
  async function held() {
    const test = await inRoom();
    test.api.events.mockResolvedValue({ ...(await events()), events: [said(6), said(7)] });
    test.api.changes.mockResolvedValue({
      messages: [
        { ...itemOf(said(6, { body: 'other words', edited: 8 })), changed: 8 },
        { ...itemOf(said(7, { deleted })), body: '', changed: 9 },
      ],
      next: null,
      complete: true,
    });
    test.sockets.current().end();
    await vi.advanceTimersByTimeAsync(5_000);
    await test.goLive({ limits: LIMITS });
    void test.chat.history.present('r');
    await test.settle();
    test.api.changes.mockClear();
    test.sockets.current().end();
    await vi.advanceTimersByTimeAsync(5_000);
    await test.goLive({ limits: LIMITS, resumed: true });
    expect(test.api.changes).not.toHaveBeenCalled();
    const words = () =>
      test.state().timelines.r?.messages.flatMap(({ body, event: told }) => told?.kind ?? [body]);
    return { ...test, words };
  }

  it.each([
    ['by oneself', event('joined', 11, mine)],
    ['by somebody else', event('members_added', 11, { users: ['ben', 'me'] })],
  ])('asks what became of what the page holds: %s', async (_, coming) => {
    const { sockets, settle, api, words } = await held();
    sockets.current().receive({ type: 'event', event: event('left', 10, mine) });
    sockets.current().receive({ type: 'event', event: coming });
    await settle();
    expect(api.changes.mock.calls).toEqual([['r', { changed_after: 6, limit: 100 }]]);
    expect(words()).toEqual(['other words', '', 'left', coming.kind]);
    expect(api.conversation).toHaveBeenCalledWith('r');
  });

  it('does not ask when others come, or where nothing is held', async () => {
    const { sockets, settle, api } = await held();
    sockets.current().receive({ type: 'event', event: event('joined', 10) });
    sockets.current().receive({ type: 'event', event: event('members_added', 11, { users: ['ben'] }) });
    sockets.current().receive({ type: 'room', room: room({ role: null }) });
    await settle();
    sockets.current().receive({ type: 'event', event: event('joined', 12, mine) });
    sockets.current().receive({ type: 'room', room: room() });
    await settle();
    expect(api.changes).not.toHaveBeenCalled();
  });

  it('brings nothing of an answer that was made before one went', async () => {
    const { chat, sockets, settle, api, state } = await held();
    const slow = 2_000;
    api.messagesAt.mockImplementationOnce(async () => {
      await new Promise((resolve) => setTimeout(resolve, slow));
      return { ...NOTHING, messages: [itemOf(said(3))] };
    });
    chat.changes.asides.need('r', [3]);
    await settle();
    sockets.current().receive({ type: 'room', room: room({ role: null }) });
    await settle();
    expect(state().aside.r).toBeUndefined();
    await vi.advanceTimersByTimeAsync(slow);
    expect(state().conversations.r?.room?.role).toBeNull();
    expect(state().aside.r).toBeUndefined();
  });
});

describe('what one does', () => {
  it('is in the store with the answer', async () => {
    const { chat, api, state } = await inRoom();
    api.changeRoom.mockResolvedValue({ room: room({ title: 'Renamed' }), position: 20 });
    await chat.rooms.change('r', { title: 'Renamed' });
    expect(state().conversations.r?.room?.title).toBe('Renamed');
    api.leaveRoom.mockResolvedValue({ room: room({ role: null }), position: 21 });
    await chat.rooms.leave('r');
    expect(state().order).toEqual([]);
    api.joinRoom.mockResolvedValue({ room: room(), position: 22 });
    await chat.rooms.join('r');
    expect(state().order).toEqual(['r']);
  });
});

describe('a room that one is out of', () => {
  it('is looked at from outside; what was told meanwhile is newer', async () => {
    const { chat, api, sockets, settle, state } = await inRoom();
    const out = () => sockets.current().receive({ type: 'room', room: room({ role: null }) });
    out();
    await settle();
    api.room.mockResolvedValueOnce(room({ role: null, banned: true }));
    await chat.rooms.look('r');
    expect(state().conversations.r?.room).toMatchObject({ role: null, banned: true });
    api.room.mockRejectedValueOnce(new ApiError({ status: 404, code: 'unknown_conversation' }));
    await chat.rooms.look('r');
    expect(state().conversations.r?.room?.visibility).toBe('private');
    api.room.mockImplementationOnce(async () => {
      await vi.advanceTimersByTimeAsync(1);
      sockets.current().receive({ type: 'room', room: room({ role: 'member' }) });
      await settle();
      return room({ role: null, banned: true });
    });
    await chat.rooms.look('r');
    expect(state().conversations.r?.room).toMatchObject({ role: 'member', banned: false });
  });

  it('may be one that the answer does not show any more', async () => {
    const { chat, api, state } = await inRoom();
    api.leaveRoom.mockResolvedValue({ room: null, position: 21 });
    await chat.rooms.leave('r');
    expect(state().order).toEqual([]);
    expect(state().conversations.r?.room?.role).toBeNull();
  });

  it('is asked for with its messages when one joins it', async () => {
    const { chat, api, state } = await inRoom();
    api.conversation.mockResolvedValue(
      roomConversation({ id: 'r3', unread: 4, last_position: 9 }, { id: 'r3' }),
    );
    api.joinRoom.mockResolvedValue({ room: room({ id: 'r3' }), position: 22 });
    expect(await chat.rooms.join('r3')).toBe('r3');
    expect(api.conversation).toHaveBeenCalledWith('r3');
    await vi.advanceTimersByTimeAsync(0);
    expect(state().conversations.r3?.unread).toBe(4);
  });
});

describe('names', () => {
  it('are asked for once each, few at a time, and together', async () => {
    const { chat, api, state, settle } = await inRoom();
    api.person.mockImplementation(async (id) => ({ id, username: id, display_name: id.toUpperCase() }));
    const ids = ['me', ...Array.from({ length: 8 }, (_, n) => `p${n}`)];
    chat.names.need(ids);
    expect(api.person.mock.calls.length).toBeLessThanOrEqual(3);
    chat.names.need(ids);
    await settle();
    expect(api.person).toHaveBeenCalledTimes(8);
    expect(state().people.p7?.display_name).toBe('P7');
  });

  it('that could not be had are asked for again, those of nobody are not', async () => {
    const { chat, api, settle } = await inRoom();
    api.person.mockRejectedValueOnce(new ApiError({ status: 503, code: 'overloaded' }));
    chat.names.need(['ben']);
    await settle();
    chat.names.need(['ben']);
    await settle();
    expect(api.person).toHaveBeenCalledTimes(2);
    api.person.mockClear();
    api.person.mockRejectedValueOnce(new ApiError({ status: 404, code: 'unknown_recipient' }));
    chat.names.need(['nobody']);
    await settle();
    chat.names.need(['nobody']);
    await settle();
    expect(api.person).toHaveBeenCalledOnce();
  });
});
