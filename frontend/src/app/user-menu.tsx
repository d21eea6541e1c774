// Oneself: notes, theme, log out.
import { useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';

import { Avatar } from '@/components/ui/avatar';
import { Icon } from '@/components/ui/icon';
import type { IconName } from '@/components/ui/icon';
import { paths } from '@/config/paths';
import { useChat, useChatState } from '@/lib/chat/chat-context';

import { LogOutDialog } from './log-out-dialog';
import { setTheme, useTheme } from './theme';
import type { Theme } from './theme';
import styles from './user-menu.module.css';

const THEMES: { theme: Theme; icon: IconName; label: string }[] = [
  { theme: 'system', icon: 'system', label: 'As the system' },
  { theme: 'light', icon: 'sun', label: 'Light' },
  { theme: 'dark', icon: 'moon', label: 'Dark' },
];

export function UserMenu({ onLogOut }: { onLogOut: () => Promise<void> }) {
  const chat = useChat();
  const me = useChatState((state) => state.me);
  const theme = useTheme();
  const [, navigate] = useLocation();
  const [open, setOpen] = useState(false);
  const [unsent, setUnsent] = useState(0);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
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

  function logOut() {
    setOpen(false);
    if (chat.unsent > 0) setUnsent(chat.unsent);
    else void onLogOut();
  }

  return (
    <div ref={root} className={styles.root}>
      <button
        ref={opener}
        type="button"
        className={styles.opener}
        aria-label="Your menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Avatar id={me.id} name={me.display_name} size={36} />
      </button>
      {open && (
        <div className={styles.panel}>
          <p className={styles.me}>
            <strong dir="auto">{me.display_name}</strong>
            <span>@{me.username}</span>
          </p>
          <button
            type="button"
            className={styles.item}
            onClick={() => {
              setOpen(false);
              navigate(paths.person(me.id));
            }}
          >
            <Icon name="note" /> Notes to self
          </button>
          <div className={styles.themes} role="radiogroup" aria-label="Theme">
            {THEMES.map(({ theme: value, icon, label }) => (
              <button
                key={value}
                type="button"
                role="radio"
                aria-checked={theme === value}
                aria-label={label}
                title={label}
                onClick={() => setTheme(value)}
              >
                <Icon name={icon} />
              </button>
            ))}
          </div>
          <button type="button" className={styles.item} onClick={logOut}>
            <Icon name="leave" /> Log out
          </button>
        </div>
      )}
      {unsent > 0 && (
        <LogOutDialog unsent={unsent} onCancel={() => setUnsent(0)} onConfirm={() => void onLogOut()} />
      )}
    </div>
  );
}
