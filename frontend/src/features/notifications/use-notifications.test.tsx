import { act, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { ChatProvider } from '@/lib/chat/chat-context';
import { message } from '@/testing/builders';
import { fakeChat } from '@/testing/fake-chat';

import { useNotifications } from './use-notifications';

beforeEach(() => {
  document.head.innerHTML = '<link rel="icon" href="/favicon.svg" /><title>Milena</title>';
});
afterEach(() => void (document.head.innerHTML = ''));

const tab = () => [
  document.title,
  document.querySelector<HTMLLinkElement>('link[rel="icon"]')?.getAttribute('href'),
];

it('the tab counts conversations with something unread, and has a dot while there are any', () => {
  const { chat, arrive, read } = fakeChat();
  const { unmount } = renderHook(() => useNotifications(null, () => undefined), {
    wrapper: ({ children }) => <ChatProvider value={chat}>{children}</ChatProvider>,
  });
  expect(tab()).toEqual(['Milena', '/favicon.svg']);
  act(() => arrive(message(1), message(2)));
  expect(tab()).toEqual(['(1) Milena', '/favicon-unread.svg']);
  act(() => read(1));
  expect(tab()).toEqual(['(1) Milena', '/favicon-unread.svg']);
  act(() => read(2));
  expect(tab()).toEqual(['Milena', '/favicon.svg']);
  act(() => arrive(message(3)));
  unmount();
  expect(tab()).toEqual(['Milena', '/favicon.svg']);
});
