// Puts a chat session together with the real network, storage and page.
import { socketUrl } from '@/config/paths';
import { ChatSession } from '@/lib/chat/chat-session';
import { api } from '@/lib/http/api';
import type { Me } from '@/lib/http/types';
import { KeptStorage } from '@/lib/offline/kept-storage';
import type { KeptList } from '@/lib/offline/kept-storage';
import { IdbOutboxStorage } from '@/lib/outbox/outbox-storage';
import { claimPage } from '@/lib/outbox/page-claim';
import { openTabChannel } from '@/lib/tabs/tab-channel';

/** What this browser keeps for reading without a connection. */
export const kept = new KeptStorage();

/** The caller disposes of what it got, also when it ended. */
export function openChat(
  me: Me,
  onEnded: (why: 'ended' | 'left') => void,
  restored: KeptList | null = null,
): ChatSession {
  const chat = new ChatSession({
    me,
    api,
    storage: new IdbOutboxStorage(),
    kept,
    ...(restored ? { restored } : {}),
    page: claimPage(),
    tabs: openTabChannel(me.id),
    socketUrl: socketUrl(),
    onEnded,
  });
  chat.start();
  return chat;
}
