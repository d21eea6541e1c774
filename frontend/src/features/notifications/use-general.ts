// What one wants to be told in general, and changing it: what was just chosen is shown at once, and taken
// back when the server does not take it.
import { useState } from 'react';

import { useChat, useChatState } from '@/lib/chat/chat-context';
import { explainError } from '@/lib/http/api-error';
import type { General } from '@/lib/tell/settings';

export interface ChangeableGeneral {
  /** Null where the server keeps none of it, and as long as nobody knows. */
  general: General | null;
  problem: string | undefined;
  /** True when the server has it. */
  change: (change: Partial<General>) => Promise<boolean>;
}

export function useGeneral(): ChangeableGeneral {
  const chat = useChat();
  const general = useChatState((state) => state.tell?.general ?? null);
  const [wanted, setWanted] = useState<Partial<General>>({});
  const [problem, setProblem] = useState<string | undefined>();

  async function change(what: Partial<General>): Promise<boolean> {
    setWanted(what);
    setProblem(undefined);
    try {
      await chat.tell.change(what);
      return true;
    } catch (error) {
      setProblem(explainError(error));
      return false;
    } finally {
      setWanted({});
    }
  }

  return { general: general && { ...general, ...wanted }, problem, change };
}
