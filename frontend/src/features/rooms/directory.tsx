// The public rooms: what there is, and the way in.
import { useState } from 'react';
import { Link, useLocation } from 'wouter';

import { Avatar } from '@/components/ui/avatar';
import { Blank } from '@/components/ui/blank';
import { Button } from '@/components/ui/button';
import { Envelope } from '@/components/ui/envelope';
import { FormError } from '@/components/ui/form-error';
import { Icon } from '@/components/ui/icon';
import { LoadMore } from '@/components/ui/load-more';
import { PageFrame } from '@/components/ui/page-frame';
import { SearchField } from '@/components/ui/search-field';
import { ListSkeleton } from '@/components/ui/skeleton';
import { paths } from '@/config/paths';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { countedMembers } from '@/lib/chat/room-text';
import { useSubmit } from '@/lib/forms/use-submit';
import type { Room } from '@/lib/http/types';
import { walkList } from '@/lib/keys/walk-list';

import { CreateRoomDialog } from './create-room-dialog';
import styles from './directory.module.css';
import { useDirectory } from './use-directory';
import type { Directory } from './use-directory';

export function DirectoryPage() {
  const [query, setQuery] = useState('');
  const [creating, setCreating] = useState(false);
  const directory = useDirectory(query);
  const create = () => setCreating(true);
  return (
    <PageFrame
      title="Rooms"
      look="list"
      actions={
        <Button look="solid" onClick={create}>
          <Icon name="plus" size={18} /> New room
        </Button>
      }
      search={<SearchField label="Search public rooms" value={query} onChange={setQuery} />}
      above={creating && <CreateRoomDialog onClose={() => setCreating(false)} />}
    >
      <Found directory={directory} onCreate={create} />
    </PageFrame>
  );
}

function Found({ directory, onCreate }: { directory: Directory; onCreate: () => void }) {
  const { query, rooms, next, problem, more, loading } = directory;
  if (loading && rooms.length === 0) return <ListSkeleton label="Loading rooms" />;
  if (problem !== null)
    return (
      <Blank title="The rooms could not be loaded">
        <p>{problem}</p>
        <Button onClick={directory.retry}>Try again</Button>
      </Blank>
    );
  if (rooms.length === 0)
    return query === '' ? (
      <Blank title="There is no public room yet" art={<Envelope />}>
        <p>Make the first one: others find it here, and come in.</p>
        <Button onClick={onCreate}>New room</Button>
      </Blank>
    ) : (
      <Blank title={`No public room is about “${query}”`}>
        <p>Private rooms are not listed: somebody who is in one can bring you along.</p>
        <Button onClick={onCreate}>New room</Button>
      </Blank>
    );
  return (
    <>
      <p className="visually-hidden" role="status">
        {rooms.length === 1 ? 'One room' : `${rooms.length}${next === null ? '' : ' or more'} rooms`}
      </p>
      <ul className={styles.list} aria-busy={loading} onKeyDown={walkList}>
        {rooms.map((room, index) => (
          <Entry key={room.id} told={room} number={index + 1} total={next === null ? rooms.length : -1} />
        ))}
      </ul>
      {next !== null && <LoadMore status={more} onMore={directory.loadMore} />}
    </>
  );
}

/** Of a room that one is in the page may know more than this answer. */
function Entry({ told, number, total }: { told: Room; number: number; total: number }) {
  const chat = useChat();
  const [, navigate] = useLocation();
  const known = useChatState((state) => state.conversations[told.id]?.room);
  const { id, handle, title, topic, members, visibility, banned, role } = known ?? told;
  const path = role ? paths.conversation(id) : paths.room(handle);
  const { busy, errors, submit } = useSubmit(
    () => chat.rooms.join(id),
    () => navigate(paths.conversation(id)),
    [],
  );
  return (
    <li className={styles.entry} aria-posinset={number} aria-setsize={total}>
      <Avatar id={id} name={title} room={visibility} />
      <div className={styles.about}>
        <Link href={path} dir="auto">
          {title}
        </Link>
        <p>
          #{handle} · {countedMembers(members)}
        </p>
        {topic !== '' && (
          <p className={styles.topic} dir="auto">
            {topic}
          </p>
        )}
        <FormError text={errors.form} />
      </div>
      {role ? (
        <Button aria-label={`Open ${title}`} onClick={() => navigate(path)}>
          Open
        </Button>
      ) : (
        <Button
          look="solid"
          aria-label={`Join ${title}`}
          busy={busy}
          disabled={banned}
          onClick={() => void submit()}
        >
          {banned ? 'Banned' : busy ? 'Joining…' : 'Join'}
        </Button>
      )}
    </li>
  );
}
