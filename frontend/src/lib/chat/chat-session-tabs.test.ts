// What a session has to do with the page around it, with the other tabs, and with names that change.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { OutboxItem } from '@/lib/outbox/outbox-item';
import { anna, conversation, conversationPage, me, message, to } from '@/testing/builders';
import { endAll, start } from '@/testing/chat-sessions';
import { fakeTabs } from '@/testing/fake-tabs';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  endAll();
  vi.useRealTimers();
  localStorage.clear();
});

describe('the tabs of one person', () => {
  /** Two tabs of one browser: one channel, one storage. */
  async function twoTabs() {
    const stored: OutboxItem[] = [];
    const [a, b] = fakeTabs(2).map((channel) => start(channel, stored));
    const tabs = [a!, b!] as const;
    for (const tab of tabs) {
      await tab.opened();
      tab.sockets.current().receive({ type: 'message', ...message(11) });
      await tab.settle();
      expect(tab.state().conversations.c?.unread).toBe(1);
    }
    return { first: tabs[0], second: tabs[1], stored };
  }

  it('what is read in one is read in the other, and only the first one tells the server', async () => {
    const { first, second } = await twoTabs();
    first.chat.markRead('c', 11);
    await first.settle();
    expect(second.state().conversations.c).toMatchObject({ unread: 0, last_read: 11 });
    expect(first.sockets.current().sentOf('read')).toHaveLength(1);
    expect(second.sockets.current().sentOf('read')).toHaveLength(0);
  });

  it('a message that comes after it is unread in both', async () => {
    const { first, second } = await twoTabs();
    first.chat.markRead('c', 11);
    for (const tab of [first, second]) {
      tab.sockets.current().receive({ type: 'message', ...message(12) });
      await tab.settle();
      expect(tab.state().conversations.c?.unread).toBe(1);
    }
  });

  it('a draft of one is in the other', async () => {
    const { first, second } = await twoTabs();
    first.chat.drafts.set(to('anna'), 'from the first');
    await first.settle();
    expect(second.chat.drafts.store.getState().c).toBe('from the first');
  });

  it('a new name of one’s own is known in both', async () => {
    const { first, second } = await twoTabs();
    first.chat.renamed({ ...me, display_name: 'New' });
    expect(second.state().me.display_name).toBe('New');
    expect(second.state().people[me.id]?.display_name).toBe('New');
  });

  it('logging out in one ends all of them, and nothing stays that one of them had written', async () => {
    const { first, second, stored } = await twoTabs();
    second.chat.send(to('anna'), { body: 'unsent there' });
    second.chat.drafts.set(to('anna'), 'half a thought');
    stored.push({ ...stored[0]!, client_id: 'of a tab that is gone' });
    await second.settle();
    expect(await first.chat.countUnsent()).toBe(2);
    await first.chat.forget();
    expect(second.onEnded.mock.calls).toEqual([['left']]);
    expect(first.onEnded).not.toHaveBeenCalled();
    for (const { chat } of [first, second]) chat.dispose();
    expect(stored).toEqual([]);
    expect(localStorage.getItem('milena.drafts.me')).toBeNull();
  });
});

describe('names', () => {
  const renamed = conversation({
    person: { ...anna, display_name: 'Anna K.' },
    last_message: message(10),
    last_position: 10,
    last_read: 10,
  });
  const nameOf = ({ state }: ReturnType<typeof start>) => state().people.anna?.display_name;
  /** A minute in which the line is tested and holds. */
  async function aMinute({ sockets }: ReturnType<typeof start>) {
    for (let seconds = 0; seconds < 60; seconds += 20) {
      await vi.advanceTimersByTimeAsync(20_000);
      sockets.current().receive({ type: 'pong' });
    }
  }

  it('are asked for again when somebody looks at the page after a while', async () => {
    const test = start();
    await test.opened();
    test.api.conversations.mockResolvedValue(conversationPage([renamed]));
    test.api.me.mockClear();
    test.api.me.mockResolvedValue({ ...me, display_name: 'Me elsewhere' });
    window.dispatchEvent(new Event('focus'));
    await test.settle();
    expect(nameOf(test)).toBe('Anna');
    await aMinute(test);
    window.dispatchEvent(new Event('focus'));
    window.dispatchEvent(new Event('focus'));
    await test.settle();
    expect(nameOf(test)).toBe('Anna K.');
    expect(test.state().me.display_name).toBe('Me elsewhere');
    expect(test.api.me).toHaveBeenCalledTimes(1);
  });

  it('are asked for again when a message comes after a while, once for many of them', async () => {
    const test = start();
    await test.opened();
    test.api.conversation.mockResolvedValue(renamed);
    const arrive = async (position: number) => {
      test.sockets.current().receive({ type: 'message', ...message(position) });
      await test.settle();
    };
    await arrive(11);
    expect(test.api.conversation).not.toHaveBeenCalled();
    await aMinute(test);
    for (let position = 12; position < 20; position += 1) await arrive(position);
    expect(nameOf(test)).toBe('Anna K.');
    expect(test.state().conversations.c).toMatchObject({ last_position: 19, unread: 9 });
    expect(test.api.conversation).toHaveBeenCalledTimes(1);
  });

  it('one’s own comes with each connection', async () => {
    const test = start();
    test.chat.start();
    test.api.me.mockRejectedValue(new Error('not asked here'));
    await test.goLive({ user: { ...me, display_name: 'Renamed on the phone' } });
    expect(test.state().me.display_name).toBe('Renamed on the phone');
  });
});

describe('leaving the page', () => {
  const leave = () => {
    const event = new Event('beforeunload', { cancelable: true });
    window.dispatchEvent(event);
    return event.defaultPrevented ? 'asked' : 'left';
  };

  it('is asked about when the browser does not take a draft', async () => {
    const { chat, opened } = start();
    await opened();
    chat.drafts.set(to('anna'), 'kept');
    expect(leave()).toBe('left');
    const setItem = () => {
      throw new DOMException('no room', 'QuotaExceededError');
    };
    vi.stubGlobal('localStorage', { getItem: () => null, setItem, removeItem: () => undefined });
    chat.drafts.set(to('anna'), 'too much');
    expect(leave()).toBe('asked');
    chat.drafts.set(to('anna'), '');
    expect(leave()).toBe('left');
    vi.unstubAllGlobals();
  });

  it('is asked about only when something unsent could not be stored', async () => {
    const { chat, opened, settle, stored } = start();
    await opened();
    expect(leave()).toBe('left');
    chat.send(to('anna'), { body: 'stored' });
    await settle();
    expect(leave()).toBe('left');
    stored.push = () => 0;
    chat.send(to('anna'), { body: 'no room' });
    await settle();
    expect(leave()).toBe('asked');
  });
});
