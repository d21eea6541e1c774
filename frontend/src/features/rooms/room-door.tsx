// A room from outside: what it is, whether one may come in, and why one is out when one was in.
import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';

import { Avatar } from '@/components/ui/avatar';
import { Button } from '@/components/ui/button';
import { FormError } from '@/components/ui/form-error';
import { Icon } from '@/components/ui/icon';
import { paths } from '@/config/paths';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { eventText } from '@/lib/chat/event-text';
import { mayEnter } from '@/lib/chat/room-rights';
import { countedMembers, VISIBILITY } from '@/lib/chat/room-text';
import { useSubmit } from '@/lib/forms/use-submit';
import type { ConversationId, Room, TimelineEvent } from '@/lib/http/types';
import { itemOf, namedIn } from '@/lib/timeline/event';

import styles from './room-door.module.css';

interface RoomDoorProps {
  room: Room;
  /** What happened there last, as far as the page heard of it. */
  last: TimelineEvent | null;
  onEntered: (id: ConversationId) => void;
  /** What one has left there. */
  children?: ReactNode;
}

export function RoomDoor({ room, last, onEntered, children }: RoomDoorProps) {
  const chat = useChat();
  const me = useChatState((state) => state.me.id);
  const { id, title, topic, handle, visibility, members } = room;
  const out = last && whyOut(last, me) ? last : null;
  const why = useChatState((state) => (out ? eventText([out], state) : null));
  const closed = whyClosed(room);
  const heading = useRef<HTMLHeadingElement>(null);
  const { busy, errors, submit } = useSubmit(() => chat.rooms.join(id), onEntered, []);

  useEffect(() => {
    if (out) chat.names.need(namedIn(itemOf(out)));
  }, [chat, out]);
  useEffect(() => void chat.rooms.look(id), [chat, id]);
  // What had the focus is gone when somebody is sent away.
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus();
  }, []);

  return (
    <section className={styles.door} aria-label={title}>
      <Link href={paths.home} className={styles.back} aria-label="Back to conversations">
        <Icon name="back" />
      </Link>
      <div className={styles.sheet}>
        <Avatar id={id} name={title} room={visibility} size={64} />
        <h2 ref={heading} tabIndex={-1} dir="auto">
          {title}
        </h2>
        <p className={styles.facts}>
          #{handle} · {VISIBILITY[visibility]}
          {members > 0 && ` · ${countedMembers(members)}`}
        </p>
        {topic !== '' && (
          <p className={styles.topic} dir="auto">
            {topic}
          </p>
        )}
        {why !== null && (
          <p className={styles.why} role="status" dir="auto">
            {why}.
          </p>
        )}
        {closed === null ? (
          <Button look="solid" busy={busy} onClick={() => void submit()}>
            {busy ? 'Joining…' : 'Join this room'}
          </Button>
        ) : (
          <p className={styles.closed}>{closed}</p>
        )}
        <FormError text={errors.form} />
        <Link href={paths.rooms}>Look for other rooms</Link>
      </div>
      {children}
    </section>
  );
}

/** One went, or was sent. */
const whyOut = ({ kind, actor, user }: TimelineEvent, me: string) =>
  kind === 'left' ? actor === me : (kind === 'removed' || kind === 'banned') && user === me;

/** Why one cannot come in; null: one can. */
function whyClosed(room: Room): string | null {
  if (mayEnter(room)) return null;
  const { banned, visibility } = room;
  if (banned) return 'You are banned from this room: only its moderators can let you come back.';
  if (visibility === 'private') return 'This room is private: somebody who is in it has to bring you in.';
  return 'This room is archived: nobody comes in any more.';
}
