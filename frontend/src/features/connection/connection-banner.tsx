import { Button } from '@/components/ui/button';
import { Icon } from '@/components/ui/icon';
import { useChat } from '@/lib/chat/chat-context';

import styles from './connection-banner.module.css';
import { useConnectionNotice } from './use-connection-notice';

const TEXTS = {
  offline: 'You are offline. What you write is sent when you are back.',
  connecting: 'Connecting… What you write is sent when the server is back.',
  stopped: 'This page can no longer talk to the server.',
};

const ICONS = { offline: 'cloud', connecting: 'clock', stopped: 'alert' } as const;

/** The region is always there, so that screen readers hear what changes in it. */
export function ConnectionBanner() {
  const chat = useChat();
  const notice = useConnectionNotice();
  return (
    <div role="status" className={styles.region}>
      {notice && (
        <div className={styles.banner} data-testid="connection-banner">
          <span>
            <Icon name={ICONS[notice]} size={18} />
            {TEXTS[notice]}
          </span>
          {notice === 'stopped' ? (
            <Button look="text" onClick={() => window.location.reload()}>
              Reload
            </Button>
          ) : (
            <Button look="text" onClick={chat.wake}>
              Try now
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
