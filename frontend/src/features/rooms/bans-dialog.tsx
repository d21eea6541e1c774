// Who is kept away from a room, and how they may come back.
import { useEffect, useMemo, useState } from 'react';

import { Avatar } from '@/components/ui/avatar';
import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { FormError } from '@/components/ui/form-error';
import { Spinner } from '@/components/ui/spinner';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { useSubmit } from '@/lib/forms/use-submit';
import { explainError } from '@/lib/http/api-error';
import type { Person, Room } from '@/lib/http/types';
import { namesOf } from '@/lib/names/lookalike';

import styles from './room-form.module.css';

export function BansDialog({ room, onClose }: { room: Room; onClose: () => void }) {
  const chat = useChat();
  const [people, setPeople] = useState<readonly Person[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [tries, setTries] = useState(0);
  const { id } = room;
  const known = useChatState((state) => state.people);
  const me = useChatState((state) => state.me);
  const nameOf = useMemo(() => namesOf(people ?? [], { people: known, me }), [people, known, me]);

  useEffect(() => {
    let current = true;
    chat.rooms.bans(id).then(
      (told) => current && setPeople(told),
      (error: unknown) => current && setProblem(explainError(error)),
    );
    return () => {
      current = false;
    };
  }, [chat, id, tries]);

  return (
    <Dialog title="Banned people" onClose={onClose}>
      {people === null && problem === null && <Spinner label="Loading" />}
      {problem !== null && (
        <>
          <FormError text={problem} />
          <Button
            onClick={() => {
              setProblem(null);
              setTries(tries + 1);
            }}
          >
            Try again
          </Button>
        </>
      )}
      {people?.length === 0 && <p>Nobody is banned from this room.</p>}
      <ul>
        {people?.map((person) => (
          <Banned
            key={person.id}
            room={room}
            person={person}
            name={nameOf(person)}
            onDone={() => setPeople(people.filter((other) => other !== person))}
          />
        ))}
      </ul>
    </Dialog>
  );
}

interface BannedProps {
  room: Room;
  person: Person;
  /** Told from others that look alike. */
  name: string;
  onDone: () => void;
}

function Banned({ room, person, name, onDone }: BannedProps) {
  const chat = useChat();
  const { busy, errors, submit } = useSubmit(() => chat.rooms.unban(room.id, person.id), onDone, []);
  return (
    <li>
      <div className={styles.banned}>
        <Avatar id={person.id} name={person.display_name} size={36} />
        <span>
          <span dir="auto">{person.display_name}</span> <small>@{person.username}</small>
        </span>
        <Button busy={busy} aria-label={`Lift the ban on ${name}`} onClick={() => void submit()}>
          Lift the ban
        </Button>
      </div>
      <FormError text={errors.form} />
    </li>
  );
}
