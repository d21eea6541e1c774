// A quick way to be taken for offline, and back.
import { useState } from 'react';

import { FormError } from '@/components/ui/form-error';
import { Switch } from '@/components/ui/switch';
import { useChat } from '@/lib/chat/chat-context';
import { useOwnPresence } from '@/lib/chat/use-presence';
import { explainError } from '@/lib/http/api-error';

import styles from './user-menu.module.css';

/** Nothing where the server tells nobody who is here. */
export function AppearOffline() {
  const chat = useChat();
  const settings = useOwnPresence();
  /** As it was just chosen, until the server has answered. */
  const [wanted, setWanted] = useState<boolean | null>(null);
  const [problem, setProblem] = useState<string | undefined>();

  async function choose(hidden: boolean) {
    setWanted(hidden);
    setProblem(undefined);
    await chat.ownPresence.change({ hidden }).catch((error: unknown) => setProblem(explainError(error)));
    setWanted(null);
  }

  if (settings === null) return null;
  return (
    <div className={styles.switch}>
      <Switch label="Appear offline" checked={wanted ?? settings.hidden} onChange={(on) => void choose(on)} />
      <FormError text={problem} />
    </div>
  );
}
