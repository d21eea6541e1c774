// Starts the chat session of whoever is signed in, and ends it with the sign-out.
import { useEffect, useEffectEvent, useState } from 'react';

import { socketUrl } from '@/config/paths';
import { ChatProvider } from '@/lib/chat/chat-context';
import { ChatSession } from '@/lib/chat/chat-session';
import { api } from '@/lib/http/api';
import type { Person } from '@/lib/http/types';
import { IdbOutboxStorage } from '@/lib/outbox/outbox-storage';
import { claimPage } from '@/lib/outbox/page-claim';

import { MainLayout } from './main-layout';

interface SignedInProps {
  me: Person;
  /** With a notice when the server ended the session. */
  onSignedOut: (notice?: string) => void;
}

const ENDED = 'Your session has ended. Log in again to go on; what you wrote is kept.';

export function SignedIn({ me, onSignedOut }: SignedInProps) {
  const [chat, setChat] = useState<ChatSession | null>(null);
  const ended = useEffectEvent(() => onSignedOut(ENDED));

  useEffect(() => {
    const page = claimPage();
    const session = new ChatSession({
      me,
      api,
      page,
      storage: new IdbOutboxStorage(),
      socketUrl: socketUrl(),
      onEnded: () => ended(),
    });
    session.start();
    setChat(session);
    return () => {
      session.dispose();
      page.release();
    };
  }, [me]);

  if (!chat) return null;

  async function logOut() {
    await chat?.forget();
    // Without an answer the cookie may live on, but this page lets go of everything it knows.
    await api.logout().catch(() => undefined);
    onSignedOut();
  }

  return (
    <ChatProvider value={chat}>
      <MainLayout onLogOut={logOut} />
    </ChatProvider>
  );
}
