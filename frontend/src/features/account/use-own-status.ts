// What one says of oneself: asked for when somebody wants to look at it, because another device may have
// changed it.
import { useEffect, useState } from 'react';

import { api } from '@/lib/http/api';
import type { Status } from '@/lib/http/types';

export interface OwnStatus {
  /** Undefined until the server has answered, and where it keeps none. */
  status: Status | null | undefined;
  /** Rejects with an ApiError; then nothing has changed. Null ends it. */
  say: (status: Status | null) => Promise<void>;
}

export function useOwnStatus(): OwnStatus {
  const [status, setStatus] = useState<Status | null | undefined>();
  useEffect(() => {
    let current = true;
    api.status().then(
      (told) => current && setStatus(told.status),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, []);
  return {
    status,
    say: async (wanted) => {
      if (wanted === null) await api.clearStatus();
      else await api.setStatus(wanted);
      setStatus(wanted);
    },
  };
}
