// What one can do about somebody in a room; what sends them away is asked about first.
import { useState } from 'react';
import { Link } from 'wouter';
import { useShallow } from 'zustand/react/shallow';

import { AvailabilityText } from '@/components/ui/availability';
import { Avatar } from '@/components/ui/avatar';
import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { FormError } from '@/components/ui/form-error';
import { paths } from '@/config/paths';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { NOTES } from '@/lib/chat/person-name';
import { isAbove, rightsIn } from '@/lib/chat/room-rights';
import { ROLES } from '@/lib/chat/room-text';
import { useSeen } from '@/lib/chat/use-presence';
import { useSubmit } from '@/lib/forms/use-submit';
import type { Member, Person, Role, Room } from '@/lib/http/types';
import { namesOf } from '@/lib/names/lookalike';

import styles from './room-form.module.css';

interface MemberSheetProps {
  room: Room;
  member: Member;
  onClose: () => void;
  /** They are no longer in the room. */
  onGone: () => void;
}

const OTHER_ROLES: Record<Role, [Role, string][]> = {
  owner: [
    ['moderator', 'Make moderator'],
    ['member', 'Make ordinary member'],
  ],
  moderator: [
    ['owner', 'Make owner'],
    ['member', 'Make ordinary member'],
  ],
  member: [
    ['moderator', 'Make moderator'],
    ['owner', 'Make owner'],
  ],
};

export function MemberSheet({ room, member, onClose, onGone }: MemberSheetProps) {
  const me = useChatState((state) => state.me.id);
  const [asking, setAsking] = useState<'remove' | 'ban' | null>(null);
  const { user, role } = member;
  const self = user.id === me;
  const seen = useSeen(self ? null : user.id);
  const rights = rightsIn(room);
  const away = !self && isAbove(room.role, role);

  if (asking !== null)
    return <SendAway room={room} member={member} ban={asking === 'ban'} onClose={onClose} onGone={onGone} />;
  return (
    <Dialog title="Member" onClose={onClose}>
      <div className={styles.person}>
        <Avatar id={user.id} name={user.display_name} availability={seen?.state} />
        <span>
          <strong dir="auto">
            {user.display_name}
            <AvailabilityText availability={seen?.state} />
          </strong>
          <span>
            @{user.username} · {ROLES[role]}
          </span>
        </span>
      </div>
      <div className={styles.actions}>
        <Link href={paths.person(user.id)}>{self ? NOTES : 'Write to them alone'}</Link>
        {rights.own &&
          OTHER_ROLES[role].map(([to, label]) => (
            <RoleButton key={to} room={room} user={user} to={to} label={label} onDone={onClose} />
          ))}
        {away && (
          <>
            <Button className={styles.danger} onClick={() => setAsking('remove')}>
              Remove from the room…
            </Button>
            <Button className={styles.danger} onClick={() => setAsking('ban')}>
              Ban from the room…
            </Button>
          </>
        )}
      </div>
    </Dialog>
  );
}

interface RoleButtonProps {
  room: Room;
  user: Person;
  to: Role;
  label: string;
  onDone: () => void;
}

function RoleButton({ room, user, to, label, onDone }: RoleButtonProps) {
  const chat = useChat();
  const { busy, errors, submit } = useSubmit(() => chat.rooms.setRole(room.id, user.id, to), onDone, []);
  return (
    <>
      <Button busy={busy} onClick={() => void submit()}>
        {label}
      </Button>
      <FormError text={errors.form} />
    </>
  );
}

interface SendAwayProps extends MemberSheetProps {
  ban: boolean;
}

function SendAway({ room, member: { user }, ban, onClose, onGone }: SendAwayProps) {
  const chat = useChat();
  const { busy, errors, submit } = useSubmit(
    () => (ban ? chat.rooms.ban(room.id, user.id) : chat.rooms.remove(room.id, user.id)),
    onGone,
    [],
  );
  const [people, me] = useChatState(useShallow((state) => [state.people, state.me] as const));
  const name = namesOf([user], { people, me })(user);
  return (
    <Dialog
      title={ban ? `Ban ${name}?` : `Remove ${name}?`}
      onClose={onClose}
      buttons={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="solid" busy={busy} onClick={() => void submit()}>
            {ban ? 'Ban' : 'Remove'}
          </Button>
        </>
      }
    >
      <p>
        {ban
          ? 'They go at once, and cannot come back until somebody lifts the ban.'
          : room.visibility === 'public'
            ? 'They go at once. The room is public: they can come back.'
            : 'They go at once, and come back only when somebody adds them.'}{' '}
        What they wrote stays.
      </p>
      <FormError text={errors.form} />
    </Dialog>
  );
}
