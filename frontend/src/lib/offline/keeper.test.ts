// What a page keeps for reading without a connection, in a browser's real kind of storage: a page without a
// server shows it, no word of a deleted message stays in it, and nothing of whoever has gone.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError } from '@/lib/http/api-error';
import type { Message } from '@/lib/http/types';
import { anna, conversation, conversationPage, me, message, page } from '@/testing/builders';
import { endAll, start } from '@/testing/chat-sessions';
import { welcome } from '@/testing/fake-socket';

import { KeptStorage } from './kept-storage';

const LIMITS = { ...welcome().limits, mentions_max: 50 };
const OFFLINE = new ApiError({ status: 0, code: 'offline' });

let storage: KeptStorage;
let n = 0;

beforeEach(() => {
  // The storage works with timers of its own.
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame', 'Date'],
  });
  storage = new KeptStorage(`kept ${(n += 1)}`);
});
afterEach(() => {
  endAll();
  vi.useRealTimers();
});

/** Until the storage has done what it was asked for. */
const stored = () => storage.list();
const words = async (id = 'c') => (await storage.window(me.id, id))?.messages.map(({ body }) => body);

async function opened(answers: Message[] = [message(9), message(10)]) {
  const test = start(undefined, [], { kept: storage });
  const events = answers.map(({ sender, sent_at, kind: _, ...rest }) => ({
    ...rest, kind: 'message', actor: sender, at: sent_at,
  })); // prettier-ignore
  test.api.events.mockResolvedValue({ ...page([]), has_before: true, events });
  test.chat.start();
  await test.goLive({ limits: LIMITS });
  test.chat.history.open('c');
  await test.settle();
  await vi.advanceTimersByTimeAsync(2_000);
  await stored();
  return test;
}

/** Another start of the page, without a server. */
async function offline(change: { at?: number } = {}) {
  const list = await storage.list();
  const test = start(undefined, [], { kept: storage, ...(list ? { restored: list } : {}) });
  for (const call of [test.api.conversations, test.api.messages, test.api.events, test.api.conversation])
    call.mockRejectedValue(OFFLINE);
  test.chat.start();
  test.sockets.current().end();
  test.chat.history.open('c', change.at ?? null);
  await test.settle();
  await stored();
  await test.settle();
  return test;
}

describe('a page without a server', () => {
  it('shows the list and what was looked at, by name', async () => {
    await opened();
    endAll();
    const { state, shown } = await offline();
    expect(state().order).toEqual(['c']);
    expect(state().people.anna).toMatchObject({ display_name: anna.display_name });
    expect(state().conversations.c?.last_message?.body).toBe('text 10');
    expect(shown()).toEqual([9, 10]);
    const whole = { status: 'ready', hasBefore: true, hasAfter: false, newer: 'idle' };
    expect(state().timelines.c).toMatchObject(whole);
  });

  it('does not pretend to have a message that it has not', async () => {
    await opened();
    endAll();
    const { state } = await offline({ at: 3 });
    expect(state().timelines.c?.status).toBe('failed');
  });

  it('says that there is more, where more was heard of', async () => {
    await opened();
    endAll();
    const list = await storage.list();
    storage.putList({ ...list!, entries: [{ ...list!.entries[0]!, last_position: 20 }] });
    const { state } = await offline();
    expect(state().timelines.c?.hasAfter).toBe(true);
  });

  it('takes what the server says as soon as there is one', async () => {
    await opened();
    endAll();
    const test = await offline();
    test.api.conversations.mockResolvedValue(
      conversationPage([conversation({ last_message: message(30), last_position: 30, last_read: 30 })]),
    );
    test.api.changes.mockResolvedValue({
      messages: [{ ...message(9, { deleted: { position: 25, by: 'anna' } }), body: '', changed: 25 }],
      next: null,
      complete: true,
    });
    for (let tries = 0; tries < 30 && test.sockets.all.at(-1)?.closed !== false; tries += 1)
      await vi.advanceTimersByTimeAsync(1_000);
    await test.goLive({ limits: LIMITS });
    expect(test.state().timelines.c?.messages[0]).toMatchObject({ body: '', deleted: { position: 25 } });
    expect(test.state().timelines.c?.hasAfter).toBe(true);
    expect(test.state().conversations.c?.last_position).toBe(30);
  });
});

describe('what is kept', () => {
  const target = { position: 9, id: 'm9' };
  const deleted = { type: 'deleted', conversation: 'c', position: 20, actor: 'anna', at: '', target };

  it('loses the words of a deleted message at once', async () => {
    const { sockets } = await opened();
    expect(await words()).toEqual(['text 9', 'text 10']);
    sockets.current().receive(deleted);
    await vi.advanceTimersByTimeAsync(20);
    await stored();
    expect(await words()).toEqual(['', 'text 10']);
  });

  it('is let go when it changes while the page does not hold it', async () => {
    const { chat, sockets, settle } = await opened();
    for (let other = 0; other < 12; other += 1) chat.history.open(`other ${other}`);
    await settle();
    expect(chat.store.getState().timelines.c).toBeUndefined();
    expect(await words()).toEqual(['text 9', 'text 10']);
    sockets.current().receive(deleted);
    await settle();
    await stored();
    expect(await words()).toBeUndefined();
  });

  it('is asked about at the next start, and changed by the answer', async () => {
    await opened();
    endAll();
    const test = start(undefined, [], { kept: storage });
    test.api.changes.mockResolvedValue({
      messages: [{ ...message(9, { deleted: { position: 25, by: 'anna' } }), body: '', changed: 25 }],
      next: null,
      complete: true,
    });
    test.chat.start();
    await test.goLive({ limits: LIMITS });
    expect(test.api.changes).not.toHaveBeenCalled();
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await words()).toEqual(['', 'text 10']);
    });
    expect(test.api.changes.mock.calls).toEqual([['c', { changed_after: 9, limit: 100 }]]);
  });

  it('goes when the server says that one is not in it any more', async () => {
    await opened();
    endAll();
    const test = start(undefined, [], { kept: storage });
    test.api.changes.mockRejectedValue(new ApiError({ status: 404, code: 'unknown_conversation' }));
    test.chat.start();
    await test.goLive({ limits: LIMITS });
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await words()).toBeUndefined();
    });
  });

  it('is gone after logging out, here and in another tab, and is nobody else’s', async () => {
    const { chat } = await opened();
    await storage.clear('me');
    expect(await words()).toHaveLength(2);
    await chat.forget();
    chat.dispose();
    expect(await storage.list()).toBeNull();
    expect(await words()).toBeUndefined();
    await opened();
    await storage.clear('somebody else');
    expect(await storage.list()).toBeNull();
    expect(await words()).toBeUndefined();
  });

  it('goes when the session was ended elsewhere', async () => {
    const { sockets } = await opened();
    expect(await storage.list()).not.toBeNull();
    sockets.current().end(4501);
    await stored();
    expect(await storage.list()).toBeNull();
  });

  it('is bounded: the conversations that were written longest ago go', async () => {
    const window = { owner: me.id, messages: [message(1)], people: [], hasBefore: false };
    for (let at = 1; at <= 32; at += 1) storage.putWindow({ ...window, id: `c${at}`, atMs: at });
    const kept = await storage.windows(me.id);
    expect(kept).toHaveLength(30);
    expect(kept).not.toContain('c1');
    expect(kept).toContain('c32');
  });
});
