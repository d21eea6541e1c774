// What a chat session is made of: the network, the storage, the other tabs; tests bring their own.
import type { Api } from '@/lib/http/api';
import type { Me } from '@/lib/http/types';
import type { Storage } from '@/lib/offline/keeper';
import type { KeptList } from '@/lib/offline/kept-storage';
import type { OutboxStorage } from '@/lib/outbox/outbox-storage';
import type { PageClaim } from '@/lib/outbox/page-claim';
import type { SocketLike } from '@/lib/socket/socket-client';
import type { TabChannel } from '@/lib/tabs/tab-channel';

export interface ChatSessionOptions {
  me: Me;
  api: Api;
  storage: OutboxStorage;
  /** What can be read without a connection. */
  kept: Storage;
  /** What of it the page begins with, when the server cannot be reached. */
  restored?: KeptList;
  page: PageClaim;
  /** The other tabs of this person. */
  tabs: TabChannel;
  socketUrl: string;
  /** The server ended the session, or the person did in another tab (`left`): sign in again. */
  onEnded: (why: 'ended' | 'left') => void;
  createSocket?: (url: string) => SocketLike;
}
