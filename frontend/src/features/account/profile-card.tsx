import { useState } from 'react';

import { Avatar } from '@/components/ui/avatar';
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { FormError } from '@/components/ui/form-error';
import { TextField } from '@/components/ui/text-field';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { displayNameError } from '@/lib/forms/account-rules';
import { useSubmit } from '@/lib/forms/use-submit';
import { api } from '@/lib/http/api';

import styles from './account.module.css';

export function ProfileCard() {
  const chat = useChat();
  const me = useChatState((state) => state.me);
  const [name, setName] = useState(me.display_name);
  const [saved, setSaved] = useState(false);
  const wanted = name.trim();
  const broken = wanted === '' ? 'At least one character.' : displayNameError(name);
  const { busy, errors, submit, touched } = useSubmit(
    () => api.changeProfile({ display_name: wanted }),
    (person) => {
      chat.renamed(person);
      setName(person.display_name);
      setSaved(true);
    },
  );
  const ready = broken === null && wanted !== me.display_name;

  return (
    <Card title="Profile">
      <div className={styles.person}>
        <Avatar id={me.id} name={wanted === '' ? me.username : wanted} size={56} />
        <div>
          <strong dir="auto">{me.display_name}</strong>
          <span>@{me.username}</span>
        </div>
      </div>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void submit();
        }}
      >
        <TextField
          label="Name"
          name="name"
          autoComplete="name"
          dir="auto"
          hint={saved && !ready ? 'Saved.' : 'What others see.'}
          value={name}
          onChange={(value) => {
            setName(value);
            setSaved(false);
            touched('display_name');
          }}
          error={errors.fields.display_name ?? broken}
        />
        <FormError text={errors.form} />
        <Button type="submit" look="solid" busy={busy} disabled={!ready}>
          {busy ? 'Saving…' : 'Save name'}
        </Button>
      </form>
    </Card>
  );
}
