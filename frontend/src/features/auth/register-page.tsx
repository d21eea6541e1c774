import { useState } from 'react';
import { Link } from 'wouter';

import { Button } from '@/components/ui/button';
import { FormError } from '@/components/ui/form-error';
import { PasswordField } from '@/components/ui/password-field';
import { TextField } from '@/components/ui/text-field';
import { paths } from '@/config/paths';
import { api } from '@/lib/http/api';
import type { Person } from '@/lib/http/types';

import { AuthLayout } from './auth-layout';
import { UsernameField } from './username-field';
import { displayNameError, newPasswordError, usernameError } from '@/lib/forms/account-rules';
import { useSubmit } from '@/lib/forms/use-submit';

export function RegisterPage({ next, onSignedIn }: { next: string; onSignedIn: (person: Person) => void }) {
  const [username, setUsername] = useState('');
  const [displayName, setDisplayName] = useState('');
  const [password, setPassword] = useState('');
  const name = displayName.trim();
  const { busy, errors, submit, touched } = useSubmit(
    () => api.register({ username, password, ...(name === '' ? {} : { display_name: name }) }),
    ({ user }) => onSignedIn(user),
  );
  const broken = {
    username: usernameError(username),
    display_name: displayNameError(displayName),
    password: newPasswordError(password, username, name),
  };
  const ready = Object.values(broken).every((error) => error === null);
  /** A rule is told from the first character on, not before. */
  const errorOf = (field: keyof typeof broken, value: string) =>
    errors.fields[field] ?? (value === '' ? null : broken[field]);

  return (
    <AuthLayout
      title="Create your account"
      footer={
        <>
          Already have one? <Link href={paths.login(next)}>Log in</Link>
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
          hint="3–32 letters, digits, dot, dash or underscore."
          value={username}
          onChange={(value) => {
            setUsername(value);
            touched('username');
          }}
          error={errorOf('username', username)}
        />
        <TextField
          label="Name (optional)"
          name="name"
          autoComplete="name"
          hint="What others see. Left empty, it is your username."
          value={displayName}
          onChange={(value) => {
            setDisplayName(value);
            touched('display_name');
          }}
          error={errorOf('display_name', displayName)}
        />
        <PasswordField
          kind="new"
          value={password}
          onChange={(value) => {
            setPassword(value);
            touched('password');
          }}
          error={errorOf('password', password)}
        />
        <FormError text={errors.form} />
        <Button type="submit" look="solid" busy={busy} disabled={!ready}>
          {busy ? 'Creating…' : 'Create account'}
        </Button>
      </form>
    </AuthLayout>
  );
}
