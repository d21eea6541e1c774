// Who is signed in. The cookie knows and this page cannot read it: the server is asked once at the start. The
// chat session begins and ends with the answers, not with renders.
import { useEffect, useEffectEvent, useRef, useState } from 'react';

import type { ChatSession } from '@/lib/chat/chat-session';
import { api } from '@/lib/http/api';
import { ApiError } from '@/lib/http/api-error';
import type { Me } from '@/lib/http/types';
import type { KeptList } from '@/lib/offline/kept-storage';
import { unsubscribe } from '@/lib/push/browser-push';

import { kept, openChat } from './open-chat';

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

  function signedIn(me: Me, restored: KeptList | null = null) {
    chat.current?.dispose();
    void kept.clear(me.id);
    chat.current = openChat(me, (why) => signedOut(NOTICES[why]), restored);
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
    await unsubscribe().catch(() => undefined);
    // Without an answer the cookie lives on, but this page lets go of everything it knows.
    const told = await api.logout().then(
      () => true,
      (error: unknown) => error instanceof ApiError && error.status === 401,
    );
    signedOut(told ? undefined : NOTICES.untold);
  }

  const answered = useEffectEvent(signedIn);
  useEffect(() => {
    const page = { left: false };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        const me = await api.me();
        if (!page.left) answered(me);
      } catch (error) {
        const out = error instanceof ApiError && error.status === 401;
        if (out) void kept.clear();
        // What was kept is read until the server answers; the chat session asks it again by itself.
        const list = out ? null : await kept.list();
        if (page.left) return;
        if (list) answered(list.me, list);
        else setSignIn({ state: out ? 'signed-out' : 'unreachable' });
        if (!out && !list) timer = setTimeout(() => void ask(), RETRY_MS);
      }
    };
    void ask();
    return () => {
      page.left = true;
      clearTimeout(timer);
    };
  }, []);

  return { signIn, signedIn, logOut };
}
