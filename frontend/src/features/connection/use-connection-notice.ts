// What to say about the connection, if anything. A short interruption is not worth a word: nothing is said for 2 s.
import { useEffect, useState, useSyncExternalStore } from 'react';

import { useChatState } from '@/lib/chat/chat-context';

export type ConnectionNotice = 'offline' | 'connecting' | 'stopped';

const PATIENCE_MS = 2_000;

export function useConnectionNotice(): ConnectionNotice | null {
  const phase = useChatState((state) => state.connection.phase);
  const online = useSyncExternalStore(subscribeOnline, () => navigator.onLine);
  const live = phase === 'live';
  const [late, setLate] = useState(false);

  useEffect(() => {
    if (live) return;
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [live]);

  if (phase === 'closed') return 'stopped';
  if (live || !late) return null;
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
