// What others see of what one reads.
import { useEffect, useState } from 'react';

import { Card } from '@/components/ui/card';
import { FormError } from '@/components/ui/form-error';
import { Switch } from '@/components/ui/switch';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { api } from '@/lib/http/api';
import { explainError } from '@/lib/http/api-error';

const HINT =
  'Between two people, and in rooms of up to 100, each sees who has read a message. Whoever does not show ' +
  'it sees it of nobody else either.';

/** Nothing where the server tells nobody. */
export function ReceiptsCard() {
  const chat = useChat();
  const shown = useChatState((state) => state.me.show_receipts);
  /** As it was just chosen, until the server has answered. */
  const [wanted, setWanted] = useState<boolean | null>(null);
  const [problem, setProblem] = useState<string | undefined>();

  // It may have been changed on another device.
  useEffect(() => {
    let current = true;
    api.me().then(
      (me) => current && chat.renamed(me),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [chat]);

  async function choose(show_receipts: boolean) {
    setWanted(show_receipts);
    setProblem(undefined);
    try {
      chat.renamed(await api.changeProfile({ show_receipts }));
    } catch (error) {
      setProblem(explainError(error));
    }
    setWanted(null);
  }

  if (shown === undefined) return null;
  return (
    <Card title="Privacy">
      <Switch
        label="Show others what I have read"
        hint={HINT}
        checked={wanted ?? shown}
        disabled={wanted !== null}
        onChange={(on) => void choose(on)}
      />
      <FormError text={problem} />
    </Card>
  );
}
