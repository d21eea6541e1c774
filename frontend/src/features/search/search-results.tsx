// What a search found: conversations, then other people, and how the search at the server stands. The keys
// are in SearchBox.
import { useEffect } from 'react';
import { Link } from 'wouter';

import { AvailabilityText } from '@/components/ui/availability';
import { Avatar } from '@/components/ui/avatar';
import { Spinner } from '@/components/ui/spinner';
import { UnreadBadge } from '@/components/ui/unread-badge';
import { paths } from '@/config/paths';
import { useChatState } from '@/lib/chat/chat-context';
import { useSeen } from '@/lib/chat/use-presence';
import { settingsOf } from '@/lib/tell/state';

import styles from './search-results.module.css';
import { optionId } from './use-finder';
import type { Finder, Found } from './use-finder';

/** `onTaken`: the conversation opens, the search is over. */
export function SearchResults({ finder, onTaken }: { finder: Finder; onTaken: () => void }) {
  const { conversations, people, chosen } = finder;
  const chosenId = chosen && optionId(finder, chosen);
  useEffect(() => {
    if (chosenId !== undefined) document.getElementById(chosenId)?.scrollIntoView({ block: 'nearest' });
  }, [chosenId]);

  return (
    <>
      <div id={finder.id} role="listbox" aria-label="Search results">
        <Group title="Conversations" found={conversations} finder={finder} onTaken={onTaken} />
        <Group title="People" found={people} finder={finder} onTaken={onTaken} />
      </div>
      <Standing finder={finder} />
    </>
  );
}

interface GroupProps {
  title: string;
  found: Found[];
  finder: Finder;
  onTaken: () => void;
}

function Group({ title, found, finder, onTaken }: GroupProps) {
  const titleId = `${finder.id}-${title}`;
  if (found.length === 0) return null;
  return (
    <div role="group" aria-labelledby={titleId}>
      <p id={titleId} className={styles.title} role="presentation">
        {title}
      </p>
      {found.map((one) => (
        <Option key={one.conversation} found={one} finder={finder} onTaken={onTaken} />
      ))}
    </div>
  );
}

/** A link, so that it opens in another tab, too. */
function Option({ found, finder, onTaken }: { found: Found; finder: Finder; onTaken: () => void }) {
  const { name, person, notes, avatar } = found.face;
  const { muted } = useChatState((state) => settingsOf(state.tell, found.conversation));
  const seen = useSeen(person && !notes ? person.id : null);
  return (
    <Link
      id={optionId(finder, found)}
      role="option"
      aria-selected={found === finder.chosen}
      tabIndex={-1}
      className={styles.person}
      href={pathOf(found)}
      onClick={onTaken}
      onPointerMove={() => found !== finder.chosen && finder.choose(found)}
    >
      <Avatar {...avatar} size={40} availability={seen?.state} />
      <span className={styles.names}>
        <span className={styles.name} dir="auto">
          {name}
          <AvailabilityText availability={seen?.state} />
        </span>
        {person && <span className={styles.username}>@{person.username}</span>}
      </span>
      <UnreadBadge count={found.unread} muted={muted} className={styles.unread} />
    </Link>
  );
}

export const pathOf = ({ conversation, known, face: { person } }: Found) =>
  known || !person ? paths.conversation(conversation) : paths.person(person.id);

/** Always there, so that screen readers hear what changes in it. */
function Standing({ finder: { query, conversations, people, server, problem } }: { finder: Finder }) {
  const count = conversations.length + people.length;
  return (
    <div role="status" className={styles.note}>
      {server === 'asking' && count === 0 && <Spinner label="Searching" />}
      {server === 'failed' && (
        <>
          {conversations.length === 0 && <p>Of your conversations here, none is with “{query}”.</p>}
          <p>Other people cannot be searched right now. {problem}</p>
        </>
      )}
      {server === 'answered' && count === 0 && <p>Nobody is called “{query}”.</p>}
      {server === 'answered' && count > 0 && (
        <span className="visually-hidden">{count === 1 ? 'One found' : `${count} found`}</span>
      )}
    </div>
  );
}
