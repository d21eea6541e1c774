// What tells of something new outside the page: desktop, sound, title and the dot on the tab's icon.
import { useEffect, useEffectEvent, useRef } from 'react';

import { useChat, useChatState } from '@/lib/chat/chat-context';
import type { ConversationId } from '@/lib/http/types';
import { callsOf } from '@/lib/tell/state';

import { Notifier } from './notifier';

export function useNotifications(shown: ConversationId | null, open: (id: ConversationId) => void): void {
  const chat = useChat();
  const notifier = useRef<Notifier>(null);
  const opened = useEffectEvent(open);
  useEffect(() => {
    const made = new Notifier(chat, (id) => opened(id));
    notifier.current = made;
    return () => made.dispose();
  }, [chat]);
  useEffect(() => {
    if (notifier.current) notifier.current.shown = shown;
  }, [chat, shown]);
  useBadge();
}

/** The number of conversations with something unread that calls, where it is seen from another tab. */
function useBadge() {
  const unread = useChatState(
    (state) => Object.values(state.conversations).filter((entry) => callsOf(state.tell, entry) > 0).length,
  );
  useEffect(() => {
    show(unread);
    return () => show(0);
  }, [unread]);
}

function show(unread: number): void {
  document.title = unread > 0 ? `(${unread}) Milena` : 'Milena';
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (icon) icon.href = unread > 0 ? '/favicon-unread.svg' : '/favicon.svg';
}
