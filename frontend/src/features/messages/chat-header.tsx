// Who or what the conversation is with. In a room the name leads to everything that concerns it.
import { Link } from 'wouter';

import { Avatar } from '@/components/ui/avatar';
import { IconButton } from '@/components/ui/button';
import { Icon } from '@/components/ui/icon';
import { StatusText } from '@/components/ui/status-text';
import { paths } from '@/config/paths';
import type { Face } from '@/lib/chat/conversation-face';
import type { Seen } from '@/lib/chat/presence';
import { useSeen } from '@/lib/chat/use-presence';
import type { Room } from '@/lib/http/types';
import { sinceTime } from '@/lib/time/format';
import { useMinute } from '@/lib/time/periods';

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
  pins: Details | null;
  /** What one is told of it; null where nobody keeps that. */
  bell: Bell | null;
}

/** The way to what one is told of a conversation. */
export interface Bell {
  muted: boolean;
  open: () => void;
}

export function ChatHeader({ face, room, details, pins, bell }: ChatHeaderProps) {
  const seen = useSeen(face.person && !face.notes ? face.person.id : null);
  return (
    <header className={styles.header}>
      <Link href={paths.home} className={styles.back} aria-label="Back to conversations">
        <Icon name="back" />
      </Link>
      <Avatar {...face.avatar} size={40} availability={seen?.state} />
      {room && details ? (
        <RoomNames room={room} details={details} pins={pins} bell={bell} />
      ) : (
        <>
          <div className={styles.names}>
            <h2 dir="auto">{face.name}</h2>
            {face.person && (
              <p className={styles.who}>
                <span className={styles.username}>@{face.person.username}</span>
                {seen && <Standing seen={seen} />}
                {seen?.status && (
                  <>
                    <span aria-hidden="true"> · </span>
                    <StatusText status={seen.status} />
                  </>
                )}
              </p>
            )}
          </div>
          {bell && <BellButton bell={bell} />}
          {pins && <PinsButton pins={pins} />}
        </>
      )}
    </header>
  );
}

/** Of somebody who was never seen, or whom one may not see, there is nothing to say. */
function Standing({ seen: { state, lastSeenMs } }: { seen: Seen }) {
  const now = useMinute();
  const text =
    state !== 'offline' ? state : lastSeenMs === null ? null : `last seen ${sinceTime(lastSeenMs, now)}`;
  if (text === null) return null;
  return (
    <span>
      <span aria-hidden="true"> · </span>
      <span data-testid="standing">{text}</span>
    </span>
  );
}

/** On a phone a room has it in its panel: there is no room for it here, unless it says something. */
function BellButton({ bell, inRoom = false }: { bell: Bell; inRoom?: boolean }) {
  return (
    <IconButton
      icon={bell.muted ? 'bellOff' : 'bell'}
      label={bell.muted ? 'Notifications: muted' : 'Notifications'}
      className={inRoom && !bell.muted ? styles.spare : undefined}
      aria-haspopup="dialog"
      onClick={bell.open}
    />
  );
}

function PinsButton({ pins }: { pins: Details }) {
  return (
    <IconButton
      icon="pin"
      label="Pinned messages"
      className={styles.pins}
      aria-expanded={pins.open}
      onClick={pins.toggle}
    />
  );
}

interface RoomNamesProps {
  room: Room;
  details: Details;
  pins: Details | null;
  bell: Bell | null;
}

function RoomNames({ room, details, pins, bell }: RoomNamesProps) {
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
      {bell && <BellButton bell={bell} inRoom />}
      {pins && <PinsButton pins={pins} />}
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
