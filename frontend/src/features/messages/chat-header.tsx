// Who or what the conversation is with. In a room the name leads to everything that concerns it.
import { Link } from 'wouter';

import { Avatar } from '@/components/ui/avatar';
import { Icon } from '@/components/ui/icon';
import { paths } from '@/config/paths';
import type { Face } from '@/lib/chat/conversation-face';
import type { Room } from '@/lib/http/types';

import styles from './chat-header.module.css';

/** What stands beside a conversation when it is asked for. */
export interface Details {
  open: boolean;
  toggle: () => void;
}

interface ChatHeaderProps {
  face: Face;
  room: Room | null;
  details: Details | null;
}

export function ChatHeader({ face, room, details }: ChatHeaderProps) {
  return (
    <header className={styles.header}>
      <Link href={paths.home} className={styles.back} aria-label="Back to conversations">
        <Icon name="back" />
      </Link>
      <Avatar {...face.avatar} size={40} />
      {room && details ? (
        <RoomNames room={room} details={details} />
      ) : (
        <div className={styles.names}>
          <h2 dir="auto">{face.name}</h2>
          {face.person && <p>@{face.person.username}</p>}
        </div>
      )}
    </header>
  );
}

function RoomNames({ room, details }: { room: Room; details: Details }) {
  const { title, topic, handle, members, archived } = room;
  const about = topic === '' ? `#${handle}` : topic;
  return (
    <>
      <div className={styles.names}>
        <h2>
          <button
            type="button"
            className={styles.name}
            title="About this room"
            aria-expanded={details.open}
            onClick={details.toggle}
          >
            <span dir="auto">{title}</span>
          </button>
        </h2>
        <p dir="auto" title={about}>
          {archived && <strong className={styles.archived}>Archived · </strong>}
          {about}
        </p>
      </div>
      <button
        type="button"
        className={styles.members}
        aria-label={`${members === 1 ? 'One member' : `${members} members`}: show them`}
        title="Members"
        aria-expanded={details.open}
        onClick={details.toggle}
      >
        <Icon name="people" />
        <span>{members}</span>
      </button>
    </>
  );
}
