// The names of those who wrote in a room, or came and went. The first page of its members knows most of them;
// the others are asked for one by one.
import { useEffect, useState } from 'react';

import { useChat } from '@/lib/chat/chat-context';
import type { ConversationId, Message } from '@/lib/http/types';
import { namedIn } from '@/lib/timeline/event';

/** `room`: null where everybody is known already. */
export function useRoomNames(room: ConversationId | null, messages: readonly Message[]): void {
  const chat = useChat();
  const [told, setTold] = useState<ConversationId | null>(null);
  useEffect(() => {
    if (room === null) return;
    let current = true;
    const done = () => current && setTold(room);
    chat.rooms.members(room).then(done, done);
    return () => {
      current = false;
    };
  }, [chat, room]);
  useEffect(() => {
    if (room !== null && told === room) chat.names.need(messages.flatMap(namedIn));
  }, [chat, room, told, messages]);
}
