// Who is signed in. The cookie knows and this page cannot read it: the server is asked once at the start.
import { useEffect, useState } from 'react';

import { api } from '@/lib/http/api';
import { ApiError } from '@/lib/http/api-error';
import type { Person } from '@/lib/http/types';

export type SignIn =
  | { state: 'asking' }
  /** The server did not answer: neither signed in nor out. */
  | { state: 'unreachable' }
  | { state: 'signed-out'; notice?: string }
  | { state: 'signed-in'; me: Person };

const RETRY_MS = 3_000;

export function useSignIn(): [SignIn, (next: SignIn) => void] {
  const [signIn, setSignIn] = useState<SignIn>({ state: 'asking' });
  const waiting = signIn.state === 'asking' || signIn.state === 'unreachable';

  useEffect(() => {
    if (!waiting) return;
    let current = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (next: SignIn) => current && setSignIn(next);
    const ask = () => {
      api.me().then(
        (me) => settle({ state: 'signed-in', me }),
        (error: unknown) => {
          if (error instanceof ApiError && error.status === 401) settle({ state: 'signed-out' });
          else {
            settle({ state: 'unreachable' });
            if (current) timer = setTimeout(ask, RETRY_MS);
          }
        },
      );
    };
    ask();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [waiting]);

  return [signIn, setSignIn];
}
