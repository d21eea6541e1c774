// As much of a chat session as a listener sees: the state, the other tabs, and what arrives.
import { createStore } from 'zustand/vanilla';

import type { ChatSession } from '@/lib/chat/chat-session';
import type { Message } from '@/lib/http/types';
import { initialState } from '@/lib/store/chat-state';
import { applyEvents, readUpTo, withConversations } from '@/lib/store/events';
import type { TabChannel } from '@/lib/tabs/tab-channel';

import { conversation, me } from './builders';
import { loneTab } from './fake-tabs';

export function fakeChat(tab = 'tab', tabs: TabChannel = loneTab()) {
  const store = createStore(() => withConversations(initialState(me), [conversation()]));
  const listeners = new Set<(messages: readonly Message[], why: 'new' | 'named') => void>();
  const chat = {
    store,
    tab,
    tabs,
    onArrivals(listener: (messages: readonly Message[], why: 'new' | 'named') => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  } as unknown as ChatSession;
  return {
    chat,
    arrive: (...messages: Message[]) => {
      const events = messages.map((message) => ({ kind: 'message' as const, message, fresh: true }));
      store.setState((state) => applyEvents(state, events), true);
      for (const listener of listeners) listener(messages, 'new');
    },
    named: (...messages: Message[]) => {
      for (const listener of listeners) listener(messages, 'named');
    },
    read: (position: number) => store.setState((state) => readUpTo(state, 'c', position)),
    listening: () => listeners.size > 0,
  };
}
