import { useState } from 'react';

import { useChat } from '@/lib/chat/chat-context';
import { useSubmit } from '@/lib/forms/use-submit';
import type { Person, Room } from '@/lib/http/types';

import { FormDialog } from './form-dialog';
import { PeoplePicker } from './people-picker';

/** Whoever is in the room already stays as they are. */
export function AddPeopleDialog({ room, onClose }: { room: Room; onClose: () => void }) {
  const chat = useChat();
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
    <FormDialog
      title={`Add people to ${room.title}`}
      action="Add"
      acting="Adding…"
      busy={busy}
      ready={ready}
      error={errors.form}
      onSubmit={submit}
      onClose={onClose}
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
    </FormDialog>
  );
}
