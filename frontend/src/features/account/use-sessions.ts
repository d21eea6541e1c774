// Where one is logged in: asked of the server when the page opens, when it comes back into view and after
// each change.
import { useCallback, useEffect, useState } from 'react';

import { api } from '@/lib/http/api';
import { ApiError, explainError } from '@/lib/http/api-error';
import type { Session } from '@/lib/http/types';

export interface Sessions {
  /** Null until the first answer. */
  sessions: Session[] | null;
  error: string | null;
  /** The session that is being ended, `others`, or nothing. */
  ending: string | null;
  reload: () => void;
  end: (id: string) => void;
  endOthers: () => void;
}

export function useSessions(): Sessions {
  const [sessions, setSessions] = useState<Session[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [ending, setEnding] = useState<string | null>(null);

  const reload = useCallback(() => {
    api.sessions().then(
      (answer) => {
        setSessions(answer.sessions);
        setError(null);
      },
      (reason: unknown) => setError(explainError(reason)),
    );
  }, []);

  useEffect(() => {
    const seen = () => document.visibilityState === 'visible' && reload();
    reload();
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [reload]);

  async function run(what: string, action: () => Promise<unknown>) {
    if (ending !== null) return;
    setEnding(what);
    try {
      await action();
      reload();
    } catch (reason) {
      // It had ended already: what was wanted.
      if (reason instanceof ApiError && reason.code === 'not_found') reload();
      else setError(explainError(reason));
    }
    setEnding(null);
  }

  return {
    sessions,
    error,
    ending,
    reload,
    end: (id) => void run(id, () => api.endSession(id)),
    endOthers: () => void run('others', () => api.endOtherSessions()),
  };
}
