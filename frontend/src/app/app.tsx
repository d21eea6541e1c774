import { useEffect } from 'react';
import { useLocation, useSearch } from 'wouter';

import { Blank } from '@/components/ui/blank';
import { Logo } from '@/components/ui/logo';
import { Spinner } from '@/components/ui/spinner';
import { isDoor, nextOf, paths } from '@/config/paths';
import { LoginPage } from '@/features/auth/login-page';
import { RegisterPage } from '@/features/auth/register-page';
import { ChatProvider } from '@/lib/chat/chat-context';
import type { Person } from '@/lib/http/types';

import { MainLayout } from './main-layout';
import { useSignIn } from './use-sign-in';

export function App() {
  const { signIn, signedIn, logOut } = useSignIn();
  const [location, navigate] = useLocation();
  /** What was asked for before the sign-in: it is shown after it. */
  const next = nextOf(location, useSearch());
  const signedInAtDoor = signIn.state === 'signed-in' && isDoor(location);
  useEffect(() => {
    if (signedInAtDoor) navigate(next, { replace: true });
  }, [signedInAtDoor, next, navigate]);

  function enter(me: Person) {
    if (isDoor(location)) navigate(next, { replace: true });
    signedIn(me);
  }

  async function leave() {
    await logOut();
    navigate(paths.login(), { replace: true });
  }

  switch (signIn.state) {
    case 'asking':
      return (
        <main className="whole">
          <Blank title="" art={<Spinner label="Loading" />} />
        </main>
      );
    case 'unreachable':
      return (
        <main className="whole">
          <Blank alone title="The server cannot be reached" art={<Logo size={48} />}>
            <p>This page tries again by itself.</p>
          </Blank>
        </main>
      );
    case 'signed-out':
      return location === '/register' ? (
        <RegisterPage next={next} onSignedIn={enter} />
      ) : (
        <LoginPage notice={signIn.notice} next={next} onSignedIn={enter} />
      );
    case 'signed-in':
      return (
        <ChatProvider value={signIn.chat}>
          <MainLayout onLogOut={leave} />
        </ChatProvider>
      );
  }
}
