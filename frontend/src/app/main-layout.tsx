// Two panes side by side; below 800 px the one that is needed.
import { useEffect } from 'react';
import { useLocation } from 'wouter';

import { targetOf } from '@/config/paths';
import { ConnectionBanner } from '@/features/connection/connection-banner';
import { useChatState } from '@/lib/chat/chat-context';

import { ChatPane } from './chat-pane';
import styles from './main-layout.module.css';
import { Sidebar } from './sidebar';

export function MainLayout({ onLogOut }: { onLogOut: () => Promise<void> }) {
  const [location] = useLocation();
  const target = targetOf(location);
  useTitle();
  return (
    <div className={styles.page}>
      <ConnectionBanner />
      <div className={styles.panes} data-view={target ? 'chat' : 'list'}>
        <Sidebar target={target} onLogOut={onLogOut} />
        <main className={styles.main}>
          <ChatPane target={target} />
        </main>
      </div>
    </div>
  );
}

/** The number of conversations with something unread, where it is seen from another tab. */
function useTitle() {
  const unread = useChatState(
    (state) => Object.values(state.conversations).filter((entry) => entry.unread > 0).length,
  );
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Milena` : 'Milena';
    return () => {
      document.title = 'Milena';
    };
  }, [unread]);
}
