// Who is in the room, as what; each leads to what one can do about them.
import { useRef, useState } from 'react';
import { flushSync } from 'react-dom';

import { AvailabilityText } from '@/components/ui/availability';
import { Avatar } from '@/components/ui/avatar';
import { Button } from '@/components/ui/button';
import { LoadMore } from '@/components/ui/load-more';
import { SearchField } from '@/components/ui/search-field';
import { ListSkeleton } from '@/components/ui/skeleton';
import { useChatState } from '@/lib/chat/chat-context';
import { countedMembers, ROLES } from '@/lib/chat/room-text';
import { useSeen } from '@/lib/chat/use-presence';
import type { Member, Room } from '@/lib/http/types';
import { walkList } from '@/lib/keys/walk-list';

import styles from './member-list.module.css';
import { MemberSheet } from './member-sheet';
import { useInView } from './use-in-view';
import { useMembers } from './use-members';
import type { Members } from './use-members';

export function MemberList({ room }: { room: Room }) {
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState<Member | null>(null);
  const section = useRef<HTMLElement>(null);
  const members = useMembers(room, query);
  return (
    <section ref={section} tabIndex={-1} className={styles.members} aria-labelledby="members-title">
      <h3 id="members-title">{countedMembers(room.members)}</h3>
      <SearchField
        className={styles.search}
        label="Search members"
        value={query}
        onChange={setQuery}
        onKeyDown={(event) => {
          // The first Escape ends the search.
          if (event.key !== 'Escape' || query === '') return;
          event.preventDefault();
          setQuery('');
        }}
      />
      <Found members={members} onChoose={setChosen} />
      {chosen && (
        <MemberSheet
          room={room}
          member={members.members.find(({ user }) => user.id === chosen.user.id) ?? chosen}
          onClose={() => setChosen(null)}
          onGone={() => {
            // Where the focus would return to is about to go.
            flushSync(() => setChosen(null));
            section.current?.focus();
          }}
        />
      )}
    </section>
  );
}

function Found({ members, onChoose }: { members: Members; onChoose: (member: Member) => void }) {
  const me = useChatState((state) => state.me.id);
  const { query, next, problem, more, loading } = members;
  if (loading && members.members.length === 0) return <ListSkeleton label="Loading members" />;
  if (problem !== null)
    return (
      <div className={styles.note} role="alert">
        <p>The members could not be loaded. {problem}</p>
        <Button onClick={members.retry}>Try again</Button>
      </div>
    );
  return (
    <>
      {members.members.length === 0 && (
        <p className={styles.note} role="status">
          Nobody here is called “{query}”.
        </p>
      )}
      <ul aria-busy={loading} onKeyDown={walkList}>
        {members.members.map((member, index) => (
          <Row
            key={member.user.id}
            member={member}
            me={me}
            number={index + 1}
            total={next === null ? members.members.length : -1}
            onChoose={onChoose}
          />
        ))}
      </ul>
      {next !== null && <LoadMore status={more} onMore={members.loadMore} />}
    </>
  );
}

interface RowProps {
  member: Member;
  me: string;
  /** Which of how many; -1 when nobody knows. */
  number: number;
  total: number;
  onChoose: (member: Member) => void;
}

function Row({ member, me, number, total, onChoose }: RowProps) {
  const { user, role } = member;
  const row = useRef<HTMLLIElement>(null);
  const inView = useInView(row);
  const seen = useSeen(inView ? user.id : null);
  return (
    <li ref={row} className={styles.row} aria-posinset={number} aria-setsize={total}>
      <button type="button" aria-haspopup="dialog" onClick={() => onChoose(member)}>
        <Avatar id={user.id} name={user.display_name} size={36} availability={seen?.state} />
        <span className={styles.names}>
          <span className={styles.name} dir="auto">
            {user.display_name}
            <AvailabilityText availability={seen?.state} />
          </span>
          <span className={styles.username}>
            @{user.username}
            {user.id === me && ' · you'}
          </span>
        </span>
        {role !== 'member' && <span className={styles.role}>{ROLES[role]}</span>}
      </button>
    </li>
  );
}
