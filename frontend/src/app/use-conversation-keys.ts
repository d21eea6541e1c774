// From one conversation to the next one that the list shows, by keyboard.
import { useChat } from '@/lib/chat/chat-context';
import type { ConversationId } from '@/lib/http/types';
import { useShortcut } from '@/lib/keys/use-shortcut';
import { shownIds } from '@/lib/store/list-filter';
import type { ListFilter } from '@/lib/store/list-filter';
import { callsOf } from '@/lib/tell/state';

import { neighbour } from './neighbour';

export function useConversationKeys(
  shown: ConversationId | null,
  filter: ListFilter,
  open: (id: ConversationId) => void,
): void {
  const chat = useChat();

  function go(by: 1 | -1, unreadOnly = false) {
    const state = chat.store.getState();
    const { conversations } = state;
    const unread = (id: ConversationId) => {
      const entry = conversations[id];
      return entry !== undefined && callsOf(state.tell, entry) > 0;
    };
    const next = neighbour(shownIds(state, filter, shown), shown, by, unreadOnly ? unread : undefined);
    if (next !== undefined) open(next);
  }

  useShortcut('next', () => go(1));
  useShortcut('previous', () => go(-1));
  useShortcut('nextUnread', () => go(1, true));
  useShortcut('previousUnread', () => go(-1, true));
}
