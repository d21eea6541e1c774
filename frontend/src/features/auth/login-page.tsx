import { useState } from 'react';
import { Link } from 'wouter';

import { Button } from '@/components/ui/button';
import { FormError } from '@/components/ui/form-error';
import { PasswordField } from '@/components/ui/password-field';
import { paths } from '@/config/paths';
import { api } from '@/lib/http/api';
import type { Person } from '@/lib/http/types';

import { AuthLayout } from './auth-layout';
import { UsernameField } from './username-field';
import { useSubmit } from '@/lib/forms/use-submit';

interface LoginPageProps {
  /** Why one has to sign in again. */
  notice?: string | undefined;
  /** The address to show after it. */
  next: string;
  onSignedIn: (person: Person) => void;
}

export function LoginPage({ notice, next, onSignedIn }: LoginPageProps) {
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const { busy, errors, submit, touched } = useSubmit(
    () => api.login({ username: username.trim(), password }),
    ({ user }) => onSignedIn(user),
  );
  const ready = username.trim() !== '' && password !== '';

  return (
    <AuthLayout
      title="Welcome back"
      notice={notice}
      footer={
        <>
          New here? <Link href={paths.register(next)}>Create an account</Link>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void submit();
        }}
      >
        <UsernameField
          value={username}
          onChange={(value) => {
            setUsername(value);
            touched('username');
          }}
          error={errors.fields.username ?? null}
        />
        <PasswordField
          kind="current"
          value={password}
          onChange={(value) => {
            setPassword(value);
            touched('password');
          }}
          error={errors.fields.password ?? null}
        />
        <FormError text={errors.form} />
        <Button type="submit" look="solid" busy={busy} disabled={!ready}>
          {busy ? 'Logging in…' : 'Log in'}
        </Button>
      </form>
    </AuthLayout>
  );
}
