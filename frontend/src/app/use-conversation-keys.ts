// From one conversation to the next one in the list, by keyboard.
import { useChat } from '@/lib/chat/chat-context';
import type { ConversationId } from '@/lib/http/types';
import { useShortcut } from '@/lib/keys/use-shortcut';

export function useConversationKeys(shown: ConversationId | null, open: (id: ConversationId) => void): void {
  const chat = useChat();

  function step(direction: 1 | -1) {
    const { order } = chat.store.getState();
    const at = shown === null ? -1 : order.indexOf(shown);
    // Without a place in the list, both ways begin at its top.
    const next = order[at < 0 ? 0 : at + direction];
    if (next !== undefined) open(next);
  }

  useShortcut('next', () => step(1));
  useShortcut('previous', () => step(-1));
  useShortcut('nextUnread', () => {
    const { order, conversations } = chat.store.getState();
    const from = shown === null ? 0 : order.indexOf(shown) + 1;
    const next = [...order.slice(from), ...order.slice(0, from)].find(
      (id) => (conversations[id]?.unread ?? 0) > 0,
    );
    if (next !== undefined) open(next);
  });
}
