// Puts a chat session together with the real network, storage and page.
import { socketUrl } from '@/config/paths';
import { ChatSession } from '@/lib/chat/chat-session';
import { api } from '@/lib/http/api';
import type { Me } from '@/lib/http/types';
import { IdbOutboxStorage } from '@/lib/outbox/outbox-storage';
import { claimPage } from '@/lib/outbox/page-claim';
import { openTabChannel } from '@/lib/tabs/tab-channel';

/** The caller disposes of what it got, also when it ended. */
export function openChat(me: Me, onEnded: (why: 'ended' | 'left') => void): ChatSession {
  const chat = new ChatSession({
    me,
    api,
    storage: new IdbOutboxStorage(),
    page: claimPage(),
    tabs: openTabChannel(me.id),
    socketUrl: socketUrl(),
    onEnded,
  });
  chat.start();
  return chat;
}
