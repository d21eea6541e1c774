// People in a sheet, one a line: who reacted, who has read. Names that nobody knows yet are learnt.
import { useEffect } from 'react';
import type { ReactNode } from 'react';

import { Avatar } from '@/components/ui/avatar';
import { authorName } from '@/lib/chat/author-name';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import type { UserId } from '@/lib/http/types';

import styles from './people-dialog.module.css';

export interface Somebody {
  id: UserId;
  /** At the end of the line. */
  note?: ReactNode;
}

interface PeopleListProps {
  label: string;
  people: readonly Somebody[];
  /** Some come later. */
  isWhole: boolean;
}

export function PeopleList({ label, people, isWhole }: PeopleListProps) {
  const chat = useChat();
  useEffect(() => chat.names.need(people.map(({ id }) => id)), [chat, people]);
  return (
    <ul className={styles.people} aria-label={label}>
      {people.map(({ id, note }, index) => (
        <li key={`${id} ${index}`} aria-posinset={index + 1} aria-setsize={isWhole ? people.length : -1}>
          <Name id={id} />
          {note !== undefined && <span className={styles.note}>{note}</span>}
        </li>
      ))}
    </ul>
  );
}

function Name({ id }: { id: UserId }) {
  const me = useChatState((state) => state.me.id === id);
  const name = useChatState((state) => authorName(state, id));
  return (
    <>
      <Avatar id={id} name={name} size={32} />
      <span className={styles.name}>
        <bdi>{name}</bdi>
        {me && <small> · you</small>}
      </span>
    </>
  );
}
