// From one conversation to the next one in the list, by keyboard.
import { useChat } from '@/lib/chat/chat-context';
import type { ConversationId } from '@/lib/http/types';
import { useShortcut } from '@/lib/keys/use-shortcut';

import { neighbour } from './neighbour';

export function useConversationKeys(shown: ConversationId | null, open: (id: ConversationId) => void): void {
  const chat = useChat();

  function go(by: 1 | -1, unreadOnly = false) {
    const { order, conversations } = chat.store.getState();
    const unread = (id: ConversationId) => (conversations[id]?.unread ?? 0) > 0;
    const next = neighbour(order, shown, by, unreadOnly ? unread : undefined);
    if (next !== undefined) open(next);
  }

  useShortcut('next', () => go(1));
  useShortcut('previous', () => go(-1));
  useShortcut('nextUnread', () => go(1, true));
  useShortcut('previousUnread', () => go(-1, true));
}
