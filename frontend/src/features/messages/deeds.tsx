// What can be done with the messages of a conversation, for the rows that offer it.
import { createContext, use, useEffect, useMemo } from 'react';

import { useChat, useChatState } from '@/lib/chat/chat-context';
import { rightsOn } from '@/lib/chat/message-rights';
import type { MessageRights } from '@/lib/chat/message-rights';
import type { ConversationId, Message, Position } from '@/lib/http/types';
import { messageAt } from '@/lib/store/aside';

export interface Deeds {
  conversation: ConversationId;
  reply: (message: Message) => void;
  edit: (message: Message) => void;
  /** To another message; `from`: where one comes back to. */
  jump: (to: Position, from: Position | null) => void;
}

const DeedsContext = createContext<Deeds | null>(null);

export const DeedsProvider = DeedsContext.Provider;

export function useDeeds(): Deeds {
  const deeds = use(DeedsContext);
  if (!deeds) throw new Error('useDeeds needs a DeedsProvider around it');
  return deeds;
}

/** What may be done with it; null: the server knows nothing of this, or it is no message. */
export function useRights(message: Message | null): MessageRights | null {
  const { conversation } = useDeeds();
  const me = useChatState((state) => state.me.id);
  const room = useChatState((state) => state.conversations[conversation]?.room ?? null);
  const limits = useChatState((state) => state.limits);
  return useMemo(() => (message ? rightsOn(message, room, me, limits) : null), [message, room, me, limits]);
}

/** A message of the conversation, in its window or not; asked for when it is not here. */
export function useMessageAt(conversation: ConversationId, position: Position | null): Message | undefined {
  const chat = useChat();
  const found = useChatState((state) =>
    position === null
      ? undefined
      : (messageAt(state.timelines[conversation]?.messages ?? [], position) ??
        messageAt(state.aside[conversation] ?? [], position)),
  );
  const missing = position !== null && !found;
  useEffect(() => {
    if (missing) chat.changes.asides.need(conversation, [position]);
  }, [chat, conversation, missing, position]);
  return found;
}
