import { useLocation } from 'wouter';

import { Blank } from '@/components/ui/blank';
import { Logo } from '@/components/ui/logo';
import { Spinner } from '@/components/ui/spinner';
import { paths } from '@/config/paths';
import { LoginPage } from '@/features/auth/login-page';
import { RegisterPage } from '@/features/auth/register-page';
import type { Person } from '@/lib/http/types';

import { SignedIn } from './signed-in';
import { useSignIn } from './use-sign-in';

export function App() {
  const [signIn, setSignIn] = useSignIn();
  const [location, navigate] = useLocation();

  function signedIn(me: Person) {
    // Any other address was asked for before the sign-in: it is shown now.
    if (location === paths.login || location === paths.register) navigate(paths.home, { replace: true });
    setSignIn({ state: 'signed-in', me });
  }

  switch (signIn.state) {
    case 'asking':
      return <Blank title="" art={<Spinner label="Loading" />} />;
    case 'unreachable':
      return (
        <Blank title="The server cannot be reached" art={<Logo size={48} />}>
          <p>This page tries again by itself.</p>
        </Blank>
      );
    case 'signed-out':
      return location === paths.register ? (
        <RegisterPage onSignedIn={signedIn} />
      ) : (
        <LoginPage notice={signIn.notice} onSignedIn={signedIn} />
      );
    case 'signed-in':
      return (
        <SignedIn
          key={signIn.me.id}
          me={signIn.me}
          onSignedOut={(notice) => {
            if (notice === undefined) navigate(paths.login, { replace: true });
            setSignIn({ state: 'signed-out', ...(notice === undefined ? {} : { notice }) });
          }}
        />
      );
  }
}
