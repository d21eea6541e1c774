// Who sees that one is here, and when one was last.
import { useState } from 'react';

import { Card } from '@/components/ui/card';
import { Choice } from '@/components/ui/choice';
import { FormError } from '@/components/ui/form-error';
import { Switch } from '@/components/ui/switch';
import { useChat } from '@/lib/chat/chat-context';
import { useOwnPresence } from '@/lib/chat/use-presence';
import { explainError } from '@/lib/http/api-error';
import type { Audience, PresenceSettings } from '@/lib/http/types';

import styles from './account.module.css';

const AUDIENCES: { value: Audience; label: string; hint: string }[] = [
  { value: 'everybody', label: 'Everybody', hint: 'All who have an account here.' },
  {
    value: 'shared',
    label: 'People I share a conversation with',
    hint: 'Those in your rooms, and those whom you write to or who write to you.',
  },
  { value: 'nobody', label: 'Nobody', hint: 'To all others you look offline.' },
];

const HIDDEN_HINT =
  'To everybody it looks as if you went: within a minute nobody sees that you are here, and from now on ' +
  'not that you write. You see the others as before.';

/** Nothing where the server tells nobody. */
export function PresenceCard() {
  const chat = useChat();
  const settings = useOwnPresence();
  /** As it was just chosen, until the server has answered. */
  const [wanted, setWanted] = useState<Partial<PresenceSettings>>({});
  const [problem, setProblem] = useState<string | undefined>();

  async function change(what: Partial<PresenceSettings>) {
    setWanted(what);
    setProblem(undefined);
    await chat.ownPresence.change(what).catch((error: unknown) => setProblem(explainError(error)));
    setWanted({});
  }

  if (settings === null) return null;
  const { audience, hidden } = { ...settings, ...wanted };
  return (
    <Card
      title="Being here"
      about="Who is told that you are online or away, and when you were here last. Whoever sees it now may see
        it for five more minutes."
    >
      <Choice
        label="Who may see that you are here"
        options={AUDIENCES}
        value={audience}
        onChange={(value) => void change({ audience: value })}
      />
      <div className={styles.apart}>
        <Switch
          label="Appear offline"
          hint={HIDDEN_HINT}
          checked={hidden}
          onChange={(on) => void change({ hidden: on })}
        />
      </div>
      <FormError text={problem} />
    </Card>
  );
}
