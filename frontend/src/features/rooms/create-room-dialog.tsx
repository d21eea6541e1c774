// Makes a room. Its address is made from its name until somebody writes one.
import { useState } from 'react';
import { flushSync } from 'react-dom';
import { useLocation } from 'wouter';

import { Choice } from '@/components/ui/choice';
import { paths } from '@/config/paths';
import { useChat } from '@/lib/chat/chat-context';
import { handleError, handleFor, titleError, topicError } from '@/lib/forms/room-rules';
import { useSubmit } from '@/lib/forms/use-submit';
import type { Person, RoomFields } from '@/lib/http/types';

import { FormDialog } from './form-dialog';
import { PeoplePicker } from './people-picker';
import { HandleField, HISTORIES, POSTINGS, TitleField, TopicField, VISIBILITIES } from './room-form';

type Fields = Omit<RoomFields, 'archived'>;

const BLANK: Fields = {
  handle: '',
  title: '',
  topic: '',
  visibility: 'public',
  history: 'all',
  posting: 'members',
};
const SHOWN = [...Object.keys(BLANK), 'members'];

export function CreateRoomDialog({ onClose }: { onClose: () => void }) {
  const chat = useChat();
  const [, navigate] = useLocation();
  /** The same however often it is sent. */
  const [clientId] = useState(chat.rooms.newCreationId);
  const [fields, setFields] = useState(BLANK);
  const [named, setNamed] = useState(false);
  const [people, setPeople] = useState<readonly Person[]>([]);
  const { handle, title, topic } = fields;
  const { busy, errors, submit, touched } = useSubmit(
    () =>
      chat.rooms.create({
        ...fields,
        client_id: clientId,
        title: title.trim(),
        topic: topic.trim(),
        members: people.map(({ id }) => id),
      }),
    (id) => {
      // First, so that nobody is writing here when the room opens, and it takes the focus.
      flushSync(onClose);
      navigate(paths.conversation(id));
    },
    SHOWN,
  );
  const ready = titleError(title) === null && handleError(handle) === null && topicError(topic) === null;

  function change(part: Partial<Fields>) {
    setFields({ ...fields, ...part });
    for (const field of Object.keys(part)) touched(field);
  }

  return (
    <FormDialog
      title="A new room"
      action="Create room"
      acting="Creating…"
      busy={busy}
      ready={ready}
      error={errors.form}
      onSubmit={submit}
      onClose={onClose}
    >
      <TitleField
        value={title}
        error={errors.fields.title}
        onChange={(value) => change({ title: value, ...(named ? {} : { handle: handleFor(value) }) })}
      />
      <HandleField
        value={handle}
        error={errors.fields.handle}
        onChange={(value) => {
          setNamed(value !== '');
          change({ handle: value });
        }}
      />
      <TopicField value={topic} error={errors.fields.topic} onChange={(value) => change({ topic: value })} />
      <PeoplePicker
        label="Who comes along (optional)"
        chosen={people}
        error={errors.fields.members}
        onChange={(chosen) => {
          setPeople(chosen);
          touched('members');
        }}
      />
      <Choice
        label="Who finds it"
        options={VISIBILITIES}
        value={fields.visibility}
        error={errors.fields.visibility}
        onChange={(visibility) => change({ visibility })}
      />
      <Choice
        label="What newcomers read (this stays for ever)"
        options={HISTORIES}
        value={fields.history}
        error={errors.fields.history}
        onChange={(history) => change({ history })}
      />
      <Choice
        label="Who writes"
        options={POSTINGS}
        value={fields.posting}
        error={errors.fields.posting}
        onChange={(posting) => change({ posting })}
      />
    </FormDialog>
  );
}
