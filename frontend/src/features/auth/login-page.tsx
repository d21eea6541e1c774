import { useState } from 'react';
import { Link } from 'wouter';

import { Button } from '@/components/ui/button';
import { TextField } from '@/components/ui/text-field';
import { paths } from '@/config/paths';
import { api } from '@/lib/http/api';
import type { Person } from '@/lib/http/types';

import { AuthLayout } from './auth-layout';
import styles from './auth-layout.module.css';
import { useSubmit } from './use-submit';

interface LoginPageProps {
  /** Why one has to sign in again. */
  notice?: string | undefined;
  onSignedIn: (person: Person) => void;
}

export function LoginPage({ notice, onSignedIn }: LoginPageProps) {
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
          New here? <Link href={paths.register}>Create an account</Link>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void submit();
        }}
      >
        <TextField
          label="Username"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          required
          value={username}
          onChange={(value) => {
            setUsername(value);
            touched('username');
          }}
          error={errors.fields.username ?? null}
        />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(value) => {
            setPassword(value);
            touched('password');
          }}
          error={errors.fields.password ?? null}
        />
        {errors.form && (
          <p className={styles.error} role="alert">
            {errors.form}
          </p>
        )}
        <Button type="submit" look="solid" busy={busy} disabled={!ready}>
          {busy ? 'Logging in…' : 'Log in'}
        </Button>
      </form>
    </AuthLayout>
  );
}
