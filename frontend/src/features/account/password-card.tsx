import { useState } from 'react';

import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { FormError } from '@/components/ui/form-error';
import { PasswordField } from '@/components/ui/password-field';
import { useChatState } from '@/lib/chat/chat-context';
import { newPasswordError } from '@/lib/forms/account-rules';
import { useSubmit } from '@/lib/forms/use-submit';
import { api } from '@/lib/http/api';

import styles from './account.module.css';

/** `onChanged`: the other sessions have ended. */
export function PasswordCard({ onChanged }: { onChanged: () => void }) {
  const username = useChatState((state) => state.me.username);
  const [current, setCurrent] = useState('');
  const [wanted, setWanted] = useState('');
  const [changed, setChanged] = useState(false);
  const { busy, errors, submit, touched } = useSubmit(
    () => api.changePassword({ current_password: current, new_password: wanted }),
    () => {
      setCurrent('');
      setWanted('');
      setChanged(true);
      onChanged();
    },
  );
  const broken =
    wanted !== '' && wanted === current
      ? 'This is the password that you have.'
      : newPasswordError(wanted, username);
  const ready = current !== '' && broken === null;

  return (
    <Card
      title="Password"
      about="A new password holds at once. Wherever else you are logged in, you are logged out."
    >
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void submit();
        }}
      >
        {/* Password managers look for it. */}
        <input type="hidden" name="username" autoComplete="username" value={username} />
        <PasswordField
          kind="current"
          label="Current password"
          name="current-password"
          value={current}
          onChange={(value) => {
            setCurrent(value);
            setChanged(false);
            touched('current_password');
          }}
          error={errors.fields.current_password ?? null}
        />
        <PasswordField
          kind="new"
          label="New password"
          name="new-password"
          value={wanted}
          onChange={(value) => {
            setWanted(value);
            setChanged(false);
            touched('new_password');
          }}
          error={errors.fields.new_password ?? (wanted === '' ? null : broken)}
        />
        <FormError text={errors.form} />
        <div className={styles.submit}>
          <Button type="submit" look="solid" busy={busy} disabled={!ready}>
            {busy ? 'Changing…' : 'Change password'}
          </Button>
          <p role="status">{changed && 'Changed. Your other sessions were logged out.'}</p>
        </div>
      </form>
    </Card>
  );
}
