// What a room is: moderators change its name and topic, owners everything else; only what was changed is
// sent.
import { useState } from 'react';

import { Button } from '@/components/ui/button';
import { Choice } from '@/components/ui/choice';
import { Dialog } from '@/components/ui/dialog';
import { FormError } from '@/components/ui/form-error';
import { useChat } from '@/lib/chat/chat-context';
import { rightsIn } from '@/lib/chat/room-rights';
import { handleError, titleError, topicError } from '@/lib/forms/room-rules';
import { useSubmit } from '@/lib/forms/use-submit';
import type { Room, RoomPatch } from '@/lib/http/types';

import { FormDialog } from './form-dialog';
import { HandleField, POSTINGS, TitleField, TopicField, VISIBILITIES } from './room-form';
import styles from './room-form.module.css';

type Fields = Pick<Room, 'title' | 'topic' | 'handle' | 'visibility' | 'posting'>;

const SHOWN = ['title', 'topic', 'handle', 'visibility', 'posting'] as const;

export function RoomSettingsDialog({ room, onClose }: { room: Room; onClose: () => void }) {
  const chat = useChat();
  const [fields, setFields] = useState<Partial<Fields>>({});
  const rights = rightsIn(room);
  const now: Fields = { ...room, ...fields };
  const patch = changed(room, now);
  const { busy, errors, submit, touched } = useSubmit(
    () => chat.rooms.change(room.id, patch),
    onClose,
    SHOWN,
  );
  const right =
    titleError(now.title) === null && handleError(now.handle) === null && topicError(now.topic) === null;
  const ready = right && Object.keys(patch).length > 0;

  function change(part: Partial<Fields>) {
    setFields({ ...fields, ...part });
    for (const field of Object.keys(part)) touched(field);
  }

  if (room.archived) return <ArchivedSettings room={room} onClose={onClose} />;
  return (
    <FormDialog
      title="Room settings"
      action="Save"
      acting="Saving…"
      busy={busy}
      ready={ready}
      error={errors.form}
      onSubmit={submit}
      onClose={onClose}
      below={
        rights.own && (
          <div className={styles.bottom}>
            <p>An archived room can be read, and nobody writes in it. It can be opened again.</p>
            <Archiving room={room} onDone={onClose} />
          </div>
        )
      }
    >
      <TitleField value={now.title} error={errors.fields.title} onChange={(title) => change({ title })} />
      <TopicField value={now.topic} error={errors.fields.topic} onChange={(topic) => change({ topic })} />
      {rights.own && (
        <>
          <HandleField
            value={now.handle}
            error={errors.fields.handle}
            onChange={(handle) => change({ handle })}
          />
          <Choice
            label="Who finds it"
            options={VISIBILITIES}
            value={now.visibility}
            error={errors.fields.visibility}
            onChange={(visibility) => change({ visibility })}
          />
          <Choice
            label="Who writes"
            options={POSTINGS}
            value={now.posting}
            error={errors.fields.posting}
            onChange={(posting) => change({ posting })}
          />
        </>
      )}
    </FormDialog>
  );
}

/** Nothing else is changed of it before it is open again. */
function ArchivedSettings({ room, onClose }: { room: Room; onClose: () => void }) {
  return (
    <Dialog title="Room settings" onClose={onClose}>
      <div className={styles.form}>
        <p>This room is archived: it can be read, and nobody writes in it.</p>
        <Archiving room={room} onDone={onClose} />
      </div>
    </Dialog>
  );
}

function Archiving({ room, onDone }: { room: Room; onDone: () => void }) {
  const chat = useChat();
  const { busy, errors, submit } = useSubmit(
    () => chat.rooms.change(room.id, { archived: !room.archived }),
    onDone,
    [],
  );
  return (
    <>
      <Button busy={busy} onClick={() => void submit()}>
        {room.archived ? 'Open the room again' : 'Archive this room'}
      </Button>
      <FormError text={errors.form} />
    </>
  );
}

function changed(room: Room, now: Fields): RoomPatch {
  const wanted = { ...now, title: now.title.trim(), topic: now.topic.trim() };
  return Object.fromEntries(
    SHOWN.flatMap((field) => (wanted[field] === room[field] ? [] : [[field, wanted[field]]])),
  );
}
