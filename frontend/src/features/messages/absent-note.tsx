// Who was just named in a room and is not in it: they hear nothing of it. Whoever may bring people in is
// offered to do so.
import { useEffect, useState } from 'react';

import { Button } from '@/components/ui/button';
import { authorName } from '@/lib/chat/author-name';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { rightsIn } from '@/lib/chat/room-rights';
import { useSubmit } from '@/lib/forms/use-submit';
import type { Room, UserId } from '@/lib/http/types';

import styles from './absent-note.module.css';
import { listed } from './reactor-tip';

interface AbsentNoteProps {
  room: Room;
  /** Whom the last message named. */
  named: readonly UserId[];
  onDone: () => void;
}

export function AbsentNote({ room, named, onDone }: AbsentNoteProps) {
  const absent = useAbsent(room, named);
  return absent.length > 0 ? <Note room={room} absent={absent} onDone={onDone} /> : null;
}

/** Those of them who are not in the room, as the server says; nobody while it does not. */
function useAbsent({ id, members }: Room, named: readonly UserId[]): readonly UserId[] {
  const chat = useChat();
  const [absent, setAbsent] = useState<readonly UserId[]>([]);
  useEffect(() => {
    let current = true;
    chat.rooms.absent(id, named).then(
      (found) => current && setAbsent(found),
      // Nobody is bothered with a failure of what nobody asked for.
      () => undefined,
    );
    return () => {
      current = false;
    };
    // Anew when somebody has come or gone.
  }, [chat, id, members, named]);
  return absent.filter((user) => named.includes(user));
}

function Note({ room, absent, onDone }: Omit<AbsentNoteProps, 'named'> & { absent: readonly UserId[] }) {
  const chat = useChat();
  const who = useChatState((state) => listed(absent.map((user) => authorName(state, user))));
  const mayAdd = rightsIn(room).add;
  const { busy, errors, submit } = useSubmit(() => chat.rooms.add(room.id, [...absent]), onDone, []);
  const [one] = absent;
  const they = one !== undefined && absent.length === 1 ? 'is' : 'are';
  return (
    <div className={styles.note} role="status" data-testid="absent">
      <p>
        <bdi>{who}</bdi> {they} not in this room, and {they} not told.
        {errors.form && <span className={styles.problem}> {errors.form}</span>}
      </p>
      <div>
        {mayAdd && (
          <Button look="text" busy={busy} onClick={() => void submit()}>
            {busy ? 'Adding…' : 'Add to the room'}
          </Button>
        )}
        <Button look="text" onClick={onDone}>
          {mayAdd ? 'Not now' : 'All right'}
        </Button>
      </div>
    </div>
  );
}
