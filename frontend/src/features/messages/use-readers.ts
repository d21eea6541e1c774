// Who has read a message: asked for once, and told live from then on; again when the connection is back.
import { useEffect, useEffectEvent, useState } from 'react';

import { useChat, useChatState } from '@/lib/chat/chat-context';
import type { ConversationId, Position, ReaderList } from '@/lib/http/types';

export interface Readers extends ReaderList {
  failed: boolean;
}

/** Null while nobody knows. */
export function useReaders(conversation: ConversationId, position: Position): Readers | null {
  const chat = useChat();
  const [told, setTold] = useState<Readers | null>(null);
  const live = useChatState((state) => state.connection.phase === 'live');

  const heard = useEffectEvent((user: string) =>
    setTold((now) => {
      if (!now || now.readers.some((reader) => reader.user === user)) return now;
      return { ...now, readers: [...now.readers, { user }] };
    }),
  );
  useEffect(() => {
    let current = true;
    chat.receipts.of(conversation, position).then(
      (answer) => current && setTold({ ...answer, failed: false }),
      () => current && setTold((now) => now ?? { readers: [], complete: false, failed: true }),
    );
    const stop = chat.receipts.listen((receipt) => {
      if (receipt.conversation !== conversation || receipt.position < position) return;
      chat.names.need([receipt.user]);
      heard(receipt.user);
    });
    return () => {
      current = false;
      stop();
    };
  }, [chat, conversation, position, live]);
  return told;
}
