// The people who match what was typed, as links to a conversation with them.
import { Link } from 'wouter';

import { Avatar } from '@/components/ui/avatar';
import { Spinner } from '@/components/ui/spinner';
import { paths } from '@/config/paths';
import { useChatState } from '@/lib/chat/chat-context';

import styles from './people-results.module.css';
import { usePeopleSearch } from './use-people-search';

export function PeopleResults({ query, onChosen }: { query: string; onChosen: () => void }) {
  const me = useChatState((state) => state.me.id);
  const byPerson = useChatState((state) => state.byPerson);
  const { answered, people, error } = usePeopleSearch(query);
  const waiting = answered === '' || (people.length === 0 && answered !== query.trim() && error === null);

  if (waiting)
    return (
      <div className={styles.note}>
        <Spinner label="Searching" />
      </div>
    );
  if (error !== null) return <p className={styles.note}>{error}</p>;
  if (people.length === 0) return <p className={styles.note}>Nobody is called “{answered}”.</p>;
  return (
    <ul aria-label="People">
      {people.map((person) => (
        <li key={person.id}>
          <Link
            className={styles.person}
            href={
              byPerson[person.id] ? paths.conversation(byPerson[person.id] ?? '') : paths.person(person.id)
            }
            onClick={onChosen}
          >
            <Avatar id={person.id} name={person.display_name} size={40} notes={person.id === me} />
            <span className={styles.names}>
              <span className={styles.name} dir="auto">
                {person.id === me ? 'Notes to self' : person.display_name}
              </span>
              <span className={styles.username}>@{person.username}</span>
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
