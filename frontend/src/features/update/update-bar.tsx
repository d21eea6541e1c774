// A quiet word that the server has a newer build of this page. Whoever reads on may; nobody is reloaded in
// the middle of a sentence, and what was typed is there again afterwards.
import { useEffect, useState, useSyncExternalStore } from 'react';

import { Button } from '@/components/ui/button';
import { appBuild } from '@/lib/app-build/app-build';
import { useChatState } from '@/lib/chat/chat-context';

import styles from './update-bar.module.css';

const LOOK_EVERY_MS = 60 * 60_000;

/** The region is always there, so that screen readers hear what changes in it. */
export function UpdateBar() {
  const old = useSyncExternalStore(appBuild.listen, appBuild.isOld);
  const [later, setLater] = useState(false);
  const live = useChatState((state) => state.connection.phase === 'live');
  // A server that comes back may be another one.
  useEffect(() => {
    if (!live) return;
    appBuild.look();
    const timer = setInterval(() => appBuild.look(), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [live]);
  return (
    <div role="status" className={styles.region}>
      {old && !later && (
        <div className={styles.bar} data-testid="update-bar">
          <span>There is a new version of this page. What you have typed stays.</span>
          <span className={styles.acts}>
            <Button look="text" onClick={() => window.location.reload()}>
              Reload
            </Button>
            <Button look="text" onClick={() => setLater(true)}>
              Later
            </Button>
          </span>
        </div>
      )}
    </div>
  );
}
