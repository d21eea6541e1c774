// What can be done with the messages of a conversation, for the rows that offer it.
import { createContext, use, useEffect, useMemo, useState } from 'react';

import { useChat, useChatState } from '@/lib/chat/chat-context';
import { editableUntilMs, rightsOn } from '@/lib/chat/message-rights';
import type { MessageRights } from '@/lib/chat/message-rights';
import type { ConversationId, Message, Position, UserId } from '@/lib/http/types';
import type { Limits } from '@/lib/socket/frames';
import { messageAt } from '@/lib/store/aside';

export interface Deeds {
  conversation: ConversationId;
  reply: (message: Message) => void;
  edit: (message: Message) => void;
  /** To another message; `from`: where one comes back to. */
  jump: (to: Position, from: Position | null) => void;
}

const DAY_MS = 24 * 60 * 60_000;

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
  const late = useLate(message, me, limits);
  return useMemo(() => {
    const rights = message ? rightsOn(message, room, me, limits) : null;
    return rights && late ? { ...rights, edit: false } : rights;
  }, [message, room, me, limits, late]);
}

/** Whether the time in which one's own message can be edited is over: from that moment on. */
function useLate(message: Message | null, me: UserId, limits: Limits | null): boolean {
  const until = message?.sender === me ? editableUntilMs(message, limits) : null;
  const [overMs, setOverMs] = useState<number | null>(null);
  useEffect(() => {
    if (until === null) return;
    const leftMs = until - Date.now();
    // Further away than that nobody looks at it; and a timer takes no more.
    if (leftMs > DAY_MS) return;
    const timer = setTimeout(() => setOverMs(until), Math.max(0, leftMs));
    return () => clearTimeout(timer);
  }, [until]);
  return until !== null && overMs === until;
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
