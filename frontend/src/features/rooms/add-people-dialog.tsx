import { useId, useState } from 'react';

import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { FormError } from '@/components/ui/form-error';
import { useChat } from '@/lib/chat/chat-context';
import { useSubmit } from '@/lib/forms/use-submit';
import type { Person, Room } from '@/lib/http/types';

import { PeoplePicker } from './people-picker';
import styles from './room-form.module.css';

/** Whoever is in the room already stays as they are. */
export function AddPeopleDialog({ room, onClose }: { room: Room; onClose: () => void }) {
  const chat = useChat();
  const form = useId();
  const [people, setPeople] = useState<readonly Person[]>([]);
  const { busy, errors, submit, touched } = useSubmit(
    () =>
      chat.rooms.add(
        room.id,
        people.map(({ id }) => id),
      ),
    onClose,
    ['users'],
  );
  const ready = people.length > 0;
  return (
    <Dialog
      title={`Add people to ${room.title}`}
      onClose={onClose}
      buttons={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={form} look="solid" busy={busy} disabled={!ready}>
            {busy ? 'Adding…' : 'Add'}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void submit();
        }}
      >
        <PeoplePicker
          label="Who"
          chosen={people}
          error={errors.fields.users}
          onChange={(chosen) => {
            setPeople(chosen);
            touched('users');
          }}
        />
        <p>
          {room.history === 'all'
            ? 'They read everything that was written here.'
            : 'They read what is written from now on.'}
        </p>
        <FormError text={errors.form} />
      </form>
    </Dialog>
  );
}
