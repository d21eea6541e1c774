// Tells the others that one is writing to them, where they are told.
import { useChat } from '@/lib/chat/chat-context';
import { isVisible } from '@/lib/names/fold';
import type { Destination } from '@/lib/outbox/destination';

/** In larger rooms the server tells nobody. */
const MEMBERS_MAX = 250;

/** To be called with the text as it is now. */
export function useTypingTold({ conversation, to }: Destination): (text: string) => void {
  const chat = useChat();
  return (text) => {
    const { conversations, me } = chat.store.getState();
    const entry = conversations[conversation];
    // Before the first letter there is no conversation yet; to oneself nobody waits.
    if (!entry || to === me.id || (entry.room?.members ?? 0) > MEMBERS_MAX) return;
    chat.presence.typed(conversation, !isVisible(text));
  };
}
