// What to say about the connection, if anything.
import { useSyncExternalStore } from 'react';

import { useChatState } from '@/lib/chat/chat-context';

import { useSteadyTrouble } from './use-steady-trouble';

export type ConnectionNotice = 'offline' | 'connecting' | 'stopped';

export function useConnectionNotice(): ConnectionNotice | null {
  const phase = useChatState((state) => state.connection.phase);
  const online = useSyncExternalStore(subscribeOnline, () => navigator.onLine);
  const troubled = useSteadyTrouble(phase !== 'live');

  if (phase === 'closed') return 'stopped';
  if (!troubled) return null;
  return online ? 'connecting' : 'offline';
}

function subscribeOnline(onChange: () => void) {
  window.addEventListener('online', onChange);
  window.addEventListener('offline', onChange);
  return () => {
    window.removeEventListener('online', onChange);
    window.removeEventListener('offline', onChange);
  };
}
