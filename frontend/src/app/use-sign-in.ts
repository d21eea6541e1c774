// Who is signed in. The cookie knows and this page cannot read it: the server is asked once at the start. The
// chat session begins and ends with the answers, not with renders.
import { useEffect, useEffectEvent, useRef, useState } from 'react';

import type { ChatSession } from '@/lib/chat/chat-session';
import { api } from '@/lib/http/api';
import { ApiError } from '@/lib/http/api-error';
import type { Me } from '@/lib/http/types';

import { openChat } from './open-chat';

export type SignIn =
  | { state: 'asking' }
  /** The server did not answer: neither signed in nor out. */
  | { state: 'unreachable' }
  | { state: 'signed-out'; notice?: string }
  | { state: 'signed-in'; chat: ChatSession };

const RETRY_MS = 3_000;
const NOTICES = {
  ended: 'Your session has ended. Log in again to go on; what you wrote is kept.',
  left: 'You logged out in another tab.',
  untold:
    'The server could not be told that you logged out: opening this page again may show your messages. ' +
    'Log in and out again when it can be reached.',
};

export function useSignIn() {
  const [signIn, setSignIn] = useState<SignIn>({ state: 'asking' });
  const chat = useRef<ChatSession>(null);

  function signedIn(me: Me) {
    chat.current?.dispose();
    chat.current = openChat(me, (why) => signedOut(NOTICES[why]));
    setSignIn({ state: 'signed-in', chat: chat.current });
  }

  function signedOut(notice?: string) {
    chat.current?.dispose();
    chat.current = null;
    setSignIn({ state: 'signed-out', ...(notice === undefined ? {} : { notice }) });
  }

  /** On purpose: what this browser keeps of the person goes, too. */
  async function logOut() {
    await chat.current?.forget();
    // Without an answer the cookie lives on, but this page lets go of everything it knows.
    const told = await api.logout().then(
      () => true,
      (error: unknown) => error instanceof ApiError && error.status === 401,
    );
    signedOut(told ? undefined : NOTICES.untold);
  }

  const answered = useEffectEvent((me: Me) => signedIn(me));
  useEffect(() => {
    let current = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        const me = await api.me();
        if (current) answered(me);
      } catch (error) {
        if (!current) return;
        const out = error instanceof ApiError && error.status === 401;
        setSignIn({ state: out ? 'signed-out' : 'unreachable' });
        if (!out) timer = setTimeout(() => void ask(), RETRY_MS);
      }
    };
    void ask();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, []);

  return { signIn, signedIn, logOut };
}
