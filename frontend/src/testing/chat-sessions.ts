// A chat session on a fake socket, a fake server and a storage in memory; all are disposed of by `endAll`.
import { vi } from 'vitest';

import { ChatSession } from '@/lib/chat/chat-session';
import type { ChatSessionOptions } from '@/lib/chat/chat-session-options';
import type { Api } from '@/lib/http/api';
import type { Storage } from '@/lib/offline/keeper';
import type { OutboxItem } from '@/lib/outbox/outbox-item';
import type { TabChannel } from '@/lib/tabs/tab-channel';
import { GENERAL } from '@/lib/tell/settings';

import { anna, conversation, conversationPage, me, message, page } from './builders';
import { fakeSockets, welcome } from './fake-socket';
import { loneTab } from './fake-tabs';

/** A browser that keeps nothing. */
const keptNowhere = (): Storage => ({
  window: async () => null,
  windows: async () => [],
  putList: () => undefined,
  putWindow: () => undefined,
  deleteWindow: () => undefined,
  clear: async () => undefined,
});

/** The pages that are open. */
const pages = new Set<string>();

function setUp(
  tabs: TabChannel = loneTab(),
  stored: OutboxItem[] = [],
  more: Partial<ChatSessionOptions> = {},
) {
  const sockets = fakeSockets();
  const onEnded = vi.fn();
  const pageId = `page ${pages.size}`;
  pages.add(pageId);
  const api = {
    me: vi.fn<Api['me']>(async () => me),
    conversations: vi.fn<Api['conversations']>(async () =>
      conversationPage([conversation({ last_message: message(10), last_position: 10, last_read: 10 })]),
    ),
    conversation: vi.fn<Api['conversation']>(async (id) => conversation({ id })),
    messages: vi.fn<Api['messages']>(async () => page([9, 10])),
    person: vi.fn<Api['person']>(async () => anna),
    events: vi.fn<Api['events']>(),
    changes: vi.fn<Api['changes']>(),
    messagesAt: vi.fn<Api['messagesAt']>(),
    pins: vi.fn<Api['pins']>(),
    room: vi.fn<Api['room']>(),
    changeRoom: vi.fn<Api['changeRoom']>(),
    joinRoom: vi.fn<Api['joinRoom']>(),
    leaveRoom: vi.fn<Api['leaveRoom']>(),
    presence: vi.fn<Api['presence']>(async () => ({ audience: 'shared', hidden: false })),
    notifications: vi.fn<Api['notifications']>(async () => ({ ...GENERAL, revision: 0, conversations: [] })),
    changeNotifications: vi.fn<Api['changeNotifications']>(),
    setConversationNotifications: vi.fn<Api['setConversationNotifications']>(),
    changePresence: vi.fn<Api['changePresence']>(async (change) => ({
      ...{ audience: 'shared' as const, hidden: false },
      ...change,
    })),
  };
  const chat = new ChatSession({
    me,
    api: api as unknown as Api,
    storage: {
      load: async () => [...stored],
      put: async (item) => stored.push(item) > 0,
      delete: (id) => void stored.splice(0, stored.length, ...stored.filter((item) => item.client_id !== id)),
      clear: async () => void stored.splice(0),
    },
    kept: keptNowhere(),
    page: { id: pageId, others: async () => pages, release: () => pages.delete(pageId) },
    tabs,
    socketUrl: 'ws://test/ws',
    createSocket: sockets.create,
    onEnded,
    ...more,
  });
  const settle = () => vi.advanceTimersByTimeAsync(400);
  const goLive = async (change = {}) => {
    sockets.current().open();
    sockets.current().receive(welcome(change));
    await settle();
  };
  const state = () => chat.store.getState();
  const shown = () => state().timelines.c?.messages.map(({ position }) => position);
  const opened = async () => {
    chat.start();
    await goLive();
    chat.history.open('c');
    await settle();
  };
  return { chat, sockets, api, onEnded, settle, goLive, state, shown, opened, stored };
}

const disposables: ChatSession[] = [];
export function start(tabs?: TabChannel, stored?: OutboxItem[], more?: Partial<ChatSessionOptions>) {
  const test = setUp(tabs, stored, more);
  disposables.push(test.chat);
  return test;
}

export function endAll(): void {
  for (const chat of disposables.splice(0)) chat.dispose();
}
