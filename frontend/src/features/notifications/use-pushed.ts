// Notifications that the service worker shows: pressed, they open their conversation in this page; they go
// when what they tell of has been read, here or on another device.
import { useEffect, useEffectEvent } from 'react';

import { useChat, useChatState } from '@/lib/chat/chat-context';
import { api } from '@/lib/http/api';
import type { ConversationId } from '@/lib/http/types';
import { keepWords, subscription } from '@/lib/push/browser-push';
import type { ChatState } from '@/lib/store/chat-state';

export function usePushed(open: (id: ConversationId, position: number) => void): void {
  const chat = useChat();
  const opened = useEffectEvent(open);
  useEffect(() => {
    if (!('serviceWorker' in navigator)) return;
    const workers = navigator.serviceWorker;
    const heard = ({ data }: MessageEvent<unknown>) => {
      const pressed = (data as { pressed?: unknown } | null)?.pressed;
      const at = placeOf(pressed);
      if (at) opened(at.conversation, at.position);
    };
    workers.addEventListener('message', heard);
    return () => workers.removeEventListener('message', heard);
  }, []);
  useRenewal();
  const unread = useChatState(unreadIds);
  useEffect(() => {
    void closeRead(chat.store.getState());
  }, [chat, unread]);
}

/** Keys and addresses may be others than when it was turned on, and so is the session: said at each start. */
function useRenewal() {
  const me = useChatState((state) => state.me.id);
  useEffect(() => {
    const renew = async () => {
      if (!(await subscription(me))) return;
      const known = (await api.push()).subscriptions.find(({ current }) => current);
      if (known) keepWords(known.words);
      const form = await subscription(me);
      if (form) await api.subscribePush(form);
    };
    // Without an answer it is as it was, until the next start.
    renew().catch(() => undefined);
  }, [me]);
}

const unreadIds = ({ conversations }: ChatState): string =>
  Object.values(conversations)
    .filter((entry) => entry.unread > 0)
    .map(({ id }) => id)
    .join(' ');

async function closeRead({ conversations }: ChatState): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  const registration = await navigator.serviceWorker.getRegistration();
  for (const notification of (await registration?.getNotifications()) ?? []) {
    const at = placeOf(notification.data);
    // What this page has not heard of yet is not read.
    if (at && (conversations[at.conversation]?.last_read ?? 0) >= at.position) notification.close();
  }
}

function placeOf(data: unknown): { conversation: ConversationId; position: number } | null {
  const { conversation, position } = (data ?? {}) as { conversation?: unknown; position?: unknown };
  return typeof conversation === 'string' && typeof position === 'number' ? { conversation, position } : null;
}
