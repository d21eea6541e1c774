// Oneself: notes, settings, theme, log out.
import { useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';

import { Avatar } from '@/components/ui/avatar';
import { StatusText } from '@/components/ui/status-text';
import { Icon } from '@/components/ui/icon';
import type { IconName } from '@/components/ui/icon';
import { paths } from '@/config/paths';
import { useChatState } from '@/lib/chat/chat-context';
import { StatusDialog } from '@/features/account/status-dialog';
import { useOwnStatus } from '@/features/account/use-own-status';
import type { OwnStatus as Own } from '@/features/account/use-own-status';
import { NOTES } from '@/lib/chat/person-name';
import { useOwnPresence } from '@/lib/chat/use-presence';
import { isComposing } from '@/lib/keys/composing';
import { statusAt } from '@/lib/presence/status';
import { useMinute } from '@/lib/time/periods';
import { useBackCloses } from '@/lib/keys/use-back';

import { AppearOffline } from './appear-offline';
import { ThemeChoice } from './theme-choice';
import styles from './user-menu.module.css';

interface UserMenuProps {
  onShortcuts: () => void;
  onLogOut: () => void;
}

export function UserMenu({ onShortcuts, onLogOut }: UserMenuProps) {
  const me = useChatState((state) => state.me);
  const hidden = useOwnPresence()?.hidden ?? false;
  const [, navigate] = useLocation();
  const [open, setOpen] = useState(false);
  /** While its sheet is open. */
  const [status, setStatus] = useState<Own | null>(null);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);

  useBackCloses(open, () => setOpen(false));
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || isComposing(event)) return;
      setOpen(false);
      opener.current?.focus();
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);
    document.addEventListener('keydown', escape);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
      document.removeEventListener('keydown', escape);
    };
  }, [open]);

  /** The focus goes back first: to here it returns from whatever opens now. */
  function choose(action: () => void) {
    setOpen(false);
    opener.current?.focus();
    action();
  }

  return (
    <div ref={root} className={styles.root}>
      <button
        ref={opener}
        type="button"
        className={styles.opener}
        aria-label={hidden ? 'Your menu. You appear offline' : 'Your menu'}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Avatar id={me.id} name={me.display_name} size={36} hidden={hidden} />
      </button>
      {open && (
        <div className={styles.panel}>
          <p className={styles.me}>
            <strong dir="auto">{me.display_name}</strong>
            <span>@{me.username}</span>
          </p>
          <OwnStatus onChoose={(own) => choose(() => setStatus(own))} />
          <AppearOffline />
          <Item icon="note" text={NOTES} onChoose={() => choose(() => navigate(paths.person(me.id)))} />
          <Item icon="sliders" text="Settings" onChoose={() => choose(() => navigate(paths.settings))} />
          <Item icon="keyboard" text="Keyboard shortcuts" onChoose={() => choose(onShortcuts)} />
          <ThemeChoice />
          <Item icon="leave" text="Log out" onChoose={() => choose(onLogOut)} />
        </div>
      )}
      {status && (
        <StatusDialog status={status.status ?? null} say={status.say} onClose={() => setStatus(null)} />
      )}
    </div>
  );
}

/** Nothing until it is known. */
function OwnStatus({ onChoose }: { onChoose: (own: Own) => void }) {
  const own = useOwnStatus();
  const shown = statusAt(own.status, useMinute());
  if (own.status === undefined) return null;
  return (
    <button type="button" className={styles.item} onClick={() => onChoose({ ...own, status: shown })}>
      <Icon name="smile" />
      {shown ? <StatusText status={shown} className={styles.status} /> : 'Set a status'}
    </button>
  );
}

function Item({ icon, text, onChoose }: { icon: IconName; text: string; onChoose: () => void }) {
  return (
    <button type="button" className={styles.item} onClick={onChoose}>
      <Icon name={icon} /> {text}
    </button>
  );
}
