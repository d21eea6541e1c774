// What concerns a room, beside its messages: what it is, what one can do with it, and who is in it.
import { useState } from 'react';
import { useLocation } from 'wouter';

import { Button, IconButton } from '@/components/ui/button';
import { Icon } from '@/components/ui/icon';
import { SidePanel } from '@/components/ui/side-panel';
import { paths } from '@/config/paths';
import { rightsIn } from '@/lib/chat/room-rights';
import { VISIBILITY } from '@/lib/chat/room-text';
import { copyText } from '@/lib/clipboard/copy-text';
import type { Room } from '@/lib/http/types';

import { AddPeopleDialog } from './add-people-dialog';
import { BansDialog } from './bans-dialog';
import { LeaveDialog } from './leave-dialog';
import { MemberList } from './member-list';
import styles from './room-panel.module.css';
import { RoomSettingsDialog } from './room-settings-dialog';

type Sheet = 'add' | 'settings' | 'bans' | 'leave';

interface RoomPanelProps {
  room: Room;
  /** To what one is told of it, where somebody keeps that. */
  onNotifications: (() => void) | undefined;
  onClose: () => void;
}

export function RoomPanel({ room, onNotifications, onClose }: RoomPanelProps) {
  const [, navigate] = useLocation();
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const rights = rightsIn(room);
  const close = () => setSheet(null);

  return (
    <SidePanel
      title="About this room"
      onClose={onClose}
      above={
        <>
          {sheet === 'add' && <AddPeopleDialog room={room} onClose={close} />}
          {sheet === 'settings' && <RoomSettingsDialog room={room} onClose={close} />}
          {sheet === 'bans' && <BansDialog room={room} onClose={close} />}
          {sheet === 'leave' && (
            <LeaveDialog room={room} onClose={close} onLeft={() => navigate(paths.home)} />
          )}
        </>
      }
    >
      <Facts room={room} />
      <div className={styles.actions}>
        {rights.add && (
          <Button onClick={() => setSheet('add')}>
            <Icon name="plus" size={18} /> Add people
          </Button>
        )}
        {(rights.describe || rights.own) && (
          <Button onClick={() => setSheet('settings')}>
            <Icon name="sliders" size={18} /> Settings
          </Button>
        )}
        {rights.moderate && (
          <Button onClick={() => setSheet('bans')}>
            <Icon name="ban" size={18} /> Bans
          </Button>
        )}
        {onNotifications && (
          <Button onClick={onNotifications}>
            <Icon name="bell" size={18} /> Notifications
          </Button>
        )}
        <Button onClick={() => setSheet('leave')}>
          <Icon name="leave" size={18} /> Leave room
        </Button>
      </div>
      <MemberList room={room} />
    </SidePanel>
  );
}

function CopyLink({ path }: { path: string }) {
  const [copied, setCopied] = useState<boolean | null>(null);
  const said = copied === null ? '' : copied ? 'Link copied' : 'Not copied: the browser refused.';
  return (
    <>
      <IconButton
        icon={copied ? 'tick' : 'copy'}
        label="Copy link"
        className={styles.copy}
        onBlur={() => setCopied(null)}
        onClick={() => void copyText(window.location.origin + path).then(setCopied)}
      />
      <span className="visually-hidden" role="status">
        {said}
      </span>
    </>
  );
}

function Facts({ room }: { room: Room }) {
  const { title, topic, handle, visibility, history, posting, archived } = room;
  const path = paths.room(handle);
  return (
    <div className={styles.facts}>
      <h3 dir="auto">{title}</h3>
      {topic !== '' && <p dir="auto">{topic}</p>}
      <ul>
        <li>
          <Icon name="link" size={18} />
          <span>
            {/* Not the page's own way: it is there to be copied. */}
            <a href={path}>
              {window.location.host}
              {path}
            </a>
          </span>
          <CopyLink path={path} />
        </li>
        <li>
          <Icon name={visibility === 'public' ? 'hash' : 'lock'} size={18} />
          {VISIBILITY[visibility]}
        </li>
        <li>
          <Icon name="clock" size={18} />
          {history === 'all' ? 'Newcomers read everything' : 'Newcomers read from when they came'}
        </li>
        {posting === 'moderators' && (
          <li>
            <Icon name="pencil" size={18} />
            Only moderators write
          </li>
        )}
        {archived && (
          <li>
            <Icon name="note" size={18} />
            Archived: nobody writes any more
          </li>
        )}
      </ul>
    </div>
  );
}
