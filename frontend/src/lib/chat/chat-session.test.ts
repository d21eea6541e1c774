import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError } from '@/lib/http/api-error';
import { anna, conversation, conversationPage, me, message, page, range, to } from '@/testing/builders';
import { endAll, start } from '@/testing/chat-sessions';
import { welcome } from '@/testing/fake-socket';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  endAll();
  vi.useRealTimers();
  localStorage.clear();
});

describe('who one is', () => {
  it('is asked for where signing in did not say all of it, and after each time away', async () => {
    const { chat, api, sockets, state, goLive } = start();
    api.me.mockResolvedValue({ ...me, show_receipts: true });
    chat.start();
    await goLive();
    expect(state().me.show_receipts).toBe(true);
    const back = async (resumed: boolean) => {
      sockets.current().end();
      await vi.advanceTimersByTimeAsync(5_000);
      await goLive({ resumed });
    };
    await back(true);
    expect(api.me).toHaveBeenCalledOnce();
    api.me.mockResolvedValue({ ...me, show_receipts: false });
    await back(false);
    expect(state().me.show_receipts).toBe(false);
  });
});

describe('sending', () => {
  it('shows at once, and the accepted message in place of the unsent one, never both or none', async () => {
    const { chat, sockets, settle, state, opened, shown } = start();
    await opened();
    const counts = new Set<number>();
    chat.store.subscribe((now) =>
      counts.add((now.outbox.c?.length ?? 0) + (now.timelines.c?.messages.length ?? 0)),
    );
    expect(chat.send(to('anna'), { body: 'hello' })).toBe(true);
    expect(state().outbox.c).toHaveLength(1);
    const [send] = sockets.current().sentOf('send');
    expect(send).toMatchObject({ to: 'anna', body: 'hello' });
    const accepted = {
      type: 'accepted',
      id: 'm20',
      conversation: 'c',
      position: 20,
      sent_at: '2026-11-21T10:00:00.000Z',
    };
    sockets.current().receive({ ...accepted, client_id: send!.client_id });
    await settle();
    expect(shown()).toEqual([9, 10, 20]);
    expect(state().outbox).toEqual({});
    expect([...counts]).toEqual([3]);
    expect(state().conversations.c).toMatchObject({ last_position: 20, unread: 0 });
  });

  it('takes the echo of an earlier connection for the answer', async () => {
    const { chat, sockets, settle, state, opened, shown } = start();
    await opened();
    chat.send(to('anna'), { body: 'hello' });
    const { client_id } = sockets.current().sentOf('send')[0]!;
    sockets.current().end();
    await vi.advanceTimersByTimeAsync(600);
    sockets.current().open();
    sockets.current().receive(welcome({ resumed: true }));
    sockets.current().receive({ type: 'message', ...message(20, { sender: me.id, to: anna.id, client_id }) });
    sockets
      .current()
      .receive({ type: 'accepted', client_id, id: 'm20', conversation: 'c', position: 20, sent_at: '' });
    await settle();
    expect(shown()).toEqual([9, 10, 20]);
    expect(state().outbox).toEqual({});
  });

  it('sends what an earlier page left before what is written now', async () => {
    const { chat, sockets, goLive, stored } = start();
    stored.push({
      client_id: 'old',
      owner: 'me',
      page: 'gone',
      conversation: 'c',
      to: 'anna',
      body: 'old',
      created_at: 1,
      status: 'queued',
    });
    chat.send(to('anna'), { body: 'new' });
    chat.start();
    await goLive();
    expect(sockets.current().sentOf('send')).toEqual([
      { type: 'send', client_id: 'old', to: 'anna', body: 'old', retry: true },
    ]);
  });

  it('shows why one failed', async () => {
    const { chat, sockets, settle, state, opened } = start();
    await opened();
    chat.send(to('anna'), { body: 'hello' });
    const { client_id } = sockets.current().sentOf('send')[0]!;
    sockets
      .current()
      .receive({ type: 'error', client_id, code: 'invalid_field', message: 'body: no', temporary: false });
    await settle();
    expect(state().outbox.c?.[0]).toMatchObject({
      status: 'failed',
      reason: { code: 'invalid_field' },
    });
  });
});

describe('receiving', () => {
  it('puts a burst into one step', async () => {
    const { chat, sockets, settle, shown, opened } = start();
    await opened();
    let steps = 0;
    chat.store.subscribe(() => (steps += 1));
    for (const position of range(11, 300))
      sockets.current().receive({ type: 'message', ...message(position) });
    await settle();
    expect(shown()).toEqual([9, ...range(10, 300)]);
    expect(steps).toBe(1);
  });

  it('asks who writes for the first time', async () => {
    const { sockets, settle, api, state, opened } = start();
    await opened();
    sockets.current().receive({ type: 'message', ...message(5, { conversation: 'new' }) });
    sockets.current().receive({ type: 'message', ...message(6, { conversation: 'new' }) });
    await settle();
    expect(api.conversation.mock.calls).toEqual([['new']]);
    expect(state().order).toContain('new');
  });

  it('tells the server at once where one read to, and then not for each message', async () => {
    const { chat, sockets, settle, opened } = start();
    await opened();
    for (const position of [11, 12, 13]) {
      sockets.current().receive({ type: 'message', ...message(position) });
      chat.markRead('c', position);
    }
    await settle();
    chat.markRead('c', 12);
    chat.markRead('c', 13);
    await settle();
    expect(
      sockets
        .current()
        .sentOf('read')
        .map(({ position }) => position),
    ).toEqual([11, 13]);
  });
});

describe('after an interruption', () => {
  it('sends where it was read to meanwhile', async () => {
    const { chat, sockets, goLive, opened } = start();
    await opened();
    sockets.current().end();
    chat.markRead('c', 11);
    await vi.advanceTimersByTimeAsync(600);
    await goLive({ resumed: true });
    expect(sockets.current().sentOf('read')).toEqual([{ type: 'read', conversation: 'c', position: 11 }]);
  });

  it('fetches on from where it was when the server cannot resume', async () => {
    const { chat, sockets, api, goLive, opened, state, shown, settle } = start();
    await opened();
    sockets.current().end();
    await vi.advanceTimersByTimeAsync(600);
    api.conversations.mockResolvedValue(
      conversationPage([
        conversation({ last_message: message(12), last_position: 12, last_read: 10, unread: 2 }),
      ]),
    );
    api.messages.mockResolvedValue(page([11, 12], { has_before: true }));
    await goLive({ resumed: false });
    expect(state().timelines.c?.hasAfter).toBe(true);
    await chat.history.newer('c', true);
    await settle();
    expect(api.messages.mock.lastCall).toEqual(['c', { after: 10, limit: 100 }]);
    expect(shown()).toEqual([9, 10, 11, 12]);
    expect(state().timelines.c?.hasAfter).toBe(false);
    expect(state().conversations.c?.unread).toBe(2);
  });

  it('jumps to the newest page when too much was missed to read it in order', async () => {
    const { chat, sockets, api, opened, shown, settle, state } = start();
    await opened();
    sockets.current().receive({ type: 'gap', conversation: 'c', after: 10, before: null });
    await settle();
    api.messages.mockResolvedValueOnce(page(range(11, 110), { has_after: true }));
    api.messages.mockResolvedValueOnce(page(range(951, 1_000), { has_before: true }));
    await chat.history.newer('c', true);
    await settle();
    expect(shown()).toEqual(range(951, 1_000));
    expect(state().timelines.c).toMatchObject({ hasBefore: true, hasAfter: false });
  });

  it('throws away a page that was asked for before the window started anew', async () => {
    const { chat, api, opened, shown, settle, state } = start();
    await opened();
    chat.store.setState((now) => ({ timelines: { c: { ...now.timelines.c!, hasBefore: true } } }));
    let late: (value: ReturnType<typeof page>) => void = () => undefined;
    api.messages.mockImplementationOnce(() => new Promise((resolve) => (late = resolve)));
    const older = chat.history.older('c');
    api.messages.mockResolvedValueOnce(page([50, 51], { has_before: true }));
    await chat.history.present('c');
    late(page([1, 2]));
    await older;
    await settle();
    expect(shown()).toEqual([50, 51]);
    expect(state().timelines.c?.hasBefore).toBe(true);
  });
});

describe('opening', () => {
  it('starts at the first unread message when the newest page would not show it', async () => {
    const { chat, api, goLive, settle } = start();
    api.conversations.mockResolvedValue(
      conversationPage([
        conversation({ last_message: message(900), last_position: 900, last_read: 100, unread: 400 }),
      ]),
    );
    chat.start();
    await goLive();
    chat.history.open('c');
    await settle();
    expect(api.messages.mock.calls).toEqual([['c', { limit: 50, around: 100 }]]);
  });

  it('says that it failed, and loads when the connection is back', async () => {
    const { chat, api, goLive, settle, state, shown, sockets } = start();
    chat.start();
    await goLive();
    api.messages.mockRejectedValueOnce(new ApiError({ status: 503, code: 'store_unavailable' }));
    chat.history.open('c');
    await settle();
    expect(state().timelines.c?.status).toBe('failed');
    sockets.current().end();
    await vi.advanceTimersByTimeAsync(600);
    await goLive({ resumed: true });
    expect(shown()).toEqual([9, 10]);
  });

  it('finds out that nothing is before the first message', async () => {
    const { chat, sockets, api, goLive, settle, state } = start();
    api.conversations.mockResolvedValue(conversationPage([]));
    chat.start();
    await goLive();
    await chat.conversations.person('anna');
    chat.send(to('anna'), { body: 'first' });
    const { client_id } = sockets.current().sentOf('send')[0]!;
    sockets
      .current()
      .receive({ type: 'accepted', client_id, id: 'm1', conversation: 'new', position: 1, sent_at: '' });
    await settle();
    api.messages.mockResolvedValueOnce(page([]));
    await chat.history.older('new');
    expect(state().timelines.new).toMatchObject({
      hasBefore: false,
      older: 'idle',
      messages: [{ body: 'first' }],
    });
  });

  it('asks again while the server cannot prove completeness, and keeps what came meanwhile', async () => {
    const { api, chat, opened, state, shown, sockets, settle } = start();
    api.messages.mockResolvedValueOnce(page([6, 10], { complete: false, has_before: true }));
    await opened();
    expect(state().timelines.c?.complete).toBe(false);
    api.messages.mockResolvedValueOnce(page([3, 4]));
    await chat.history.older('c');
    sockets.current().receive({ type: 'message', ...message(11) });
    await settle();
    api.messages.mockResolvedValueOnce(page([6, 8], { complete: false }));
    await vi.advanceTimersByTimeAsync(3_000);
    api.messages.mockResolvedValueOnce(page([6, 8, 9, 10, 11]));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(api.messages.mock.lastCall).toEqual(['c', { limit: 50 }]);
    expect(shown()).toEqual([3, 4, 6, 8, 9, 10, 11]);
    expect(state().timelines.c?.complete).toBe(true);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(api.messages).toHaveBeenCalledTimes(4);
  });
});

describe('the end of the session', () => {
  it.each([4500, 4501])('is told by close code %i', async (code) => {
    const { sockets, onEnded, opened } = start();
    await opened();
    sockets.current().end(code);
    expect(onEnded).toHaveBeenCalledOnce();
  });

  it('is found out when the upgrade is refused again and again', async () => {
    const { chat, api, sockets, onEnded } = start();
    api.me.mockRejectedValue(new ApiError({ status: 401, code: 'unauthenticated' }));
    chat.start();
    for (let i = 0; i < 3; i += 1) {
      sockets.current().end();
      await vi.advanceTimersByTimeAsync(4_000);
    }
    expect(onEnded).toHaveBeenCalled();
  });
});
