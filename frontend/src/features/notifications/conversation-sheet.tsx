// What one is told of one conversation: how much, not for a while, and whether calls for everybody count.
import { useState } from 'react';

import { Button } from '@/components/ui/button';
import { Choice } from '@/components/ui/choice';
import { Dialog } from '@/components/ui/dialog';
import { FormError } from '@/components/ui/form-error';
import { Switch } from '@/components/ui/switch';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { explainError } from '@/lib/http/api-error';
import type { ConversationId } from '@/lib/http/types';
import { GENERAL } from '@/lib/tell/settings';
import type { Level, OfConversation } from '@/lib/tell/settings';
import { settingsOf } from '@/lib/tell/state';
import { dayAndTime } from '@/lib/time/format';
import { useToday } from '@/lib/time/periods';

import styles from './conversation-sheet.module.css';
import { labelOf, LEVELS } from './levels';
import { inAnHour, tomorrowMorning } from './until';

interface ConversationSheetProps {
  conversation: ConversationId;
  onClose: () => void;
}

export function ConversationSheet({ conversation, onClose }: ConversationSheetProps) {
  const chat = useChat();
  const settings = useChatState((state) => settingsOf(state.tell, conversation));
  const inRoom = useChatState((state) => state.conversations[conversation]?.kind === 'room');
  const general = useChatState((state) => (state.tell?.general ?? GENERAL)[inRoom ? 'rooms' : 'direct']);
  /** As it was just chosen, until the server has answered. */
  const [wanted, setWanted] = useState<Partial<OfConversation>>({});
  const [problem, setProblem] = useState<string | undefined>();
  const { level, muted, muted_until, ignore_everyone } = { ...settings, ...wanted };

  async function change(what: Partial<OfConversation>) {
    setWanted(what);
    setProblem(undefined);
    await chat.tell.changeOf(conversation, what).catch((error: unknown) => setProblem(explainError(error)));
    setWanted({});
  }

  const like = {
    value: 'general' as const,
    label: inRoom ? 'As in other rooms' : 'As with other people',
    hint: `${labelOf(general)}, as you have it in the settings.`,
  };
  return (
    <Dialog title="Notifications" onClose={onClose}>
      <div className={styles.sheet}>
        <Choice<Level | 'general'>
          label="Tell me of"
          options={[like, ...LEVELS[inRoom ? 'rooms' : 'direct']]}
          value={level ?? 'general'}
          onChange={(value) => void change({ level: value === 'general' ? null : value })}
        />
        {inRoom && (
          <Switch
            label="Ignore @everyone"
            hint="Whoever calls everybody does not call you."
            checked={ignore_everyone}
            onChange={(on) => void change({ ignore_everyone: on })}
          />
        )}
        <Mute muted={muted} until={muted_until} onChange={(change_) => void change(change_)} />
        <FormError text={problem} />
      </div>
    </Dialog>
  );
}

interface MuteProps {
  muted: boolean;
  until: string | null;
  onChange: (change: Pick<OfConversation, 'muted' | 'muted_until'>) => void;
}

function Mute({ muted, until, onChange }: MuteProps) {
  const today = useToday();
  const mute = (muted_until: string | null) => onChange({ muted: true, muted_until });
  if (muted)
    return (
      <section className={styles.mute} aria-label="Mute">
        <p role="status">
          <strong>
            {until === null
              ? 'Muted until you turn it on.'
              : `Muted until ${dayAndTime(Date.parse(until), today)}.`}
          </strong>{' '}
          Only what names you is counted.
        </p>
        <div className={styles.buttons}>
          <Button onClick={() => onChange({ muted: false, muted_until: null })}>Turn it on</Button>
        </div>
      </section>
    );
  return (
    <section className={styles.mute} aria-label="Mute">
      <p>
        <strong>Mute</strong>
      </p>
      <div className={styles.buttons}>
        <Button onClick={() => mute(inAnHour(Date.now()))}>For 1 hour</Button>
        <Button onClick={() => mute(tomorrowMorning(Date.now()))}>Until tomorrow</Button>
        <Button onClick={() => mute(null)}>Until I turn it on</Button>
      </div>
    </section>
  );
}
