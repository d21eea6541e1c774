// Two panes side by side; below 800 px the one that is needed.
import { useRef, useState } from 'react';
import { useLocation } from 'wouter';

import { paths, targetOf } from '@/config/paths';
import { ConnectionBanner } from '@/features/connection/connection-banner';
import { MentionsPage } from '@/features/messages/mentions/mentions-page';
import { usePushed } from '@/features/notifications/use-pushed';
import { useNotifications } from '@/features/notifications/use-notifications';
import { DirectoryPage } from '@/features/rooms/directory';
import { ShortcutsDialog } from '@/features/shortcuts/shortcuts-dialog';
import { UpdateBar } from '@/features/update/update-bar';
import { useChat } from '@/lib/chat/chat-context';
import { useShortcut } from '@/lib/keys/use-shortcut';
import type { ListFilter } from '@/lib/store/list-filter';

import { ChatPane } from './chat-pane';
import { LogOutDialog } from './log-out-dialog';
import styles from './main-layout.module.css';
import { SettingsPage } from './settings-page';
import { Sidebar } from './sidebar';
import { useConversationKeys } from './use-conversation-keys';
import { useNarrow } from './use-narrow';

export function MainLayout({ onLogOut }: { onLogOut: () => Promise<void> }) {
  const chat = useChat();
  const [location, navigate] = useLocation();
  const target = targetOf(location);
  const settings = location === paths.settings;
  const rooms = location === paths.rooms;
  const mentions = location === paths.mentions;
  const page = settings ? 'settings' : rooms ? 'rooms' : mentions ? 'mentions' : 'conversation';
  /** On a narrow screen the list is all there is. */
  const alone = !target && page === 'conversation';
  const shown = target?.kind === 'conversation' ? target.id : null;
  const narrow = useNarrow();
  const main = useRef<HTMLElement>(null);
  const [filter, setFilter] = useState<ListFilter>('all');
  const [sheet, setSheet] = useState<'shortcuts' | { unsent: number } | null>(null);

  useNotifications(shown, (id) => navigate(paths.conversation(id)));
  usePushed((id, position) => navigate(paths.message(id, position)));
  useConversationKeys(shown, filter, (id) => navigate(paths.conversation(id)));
  useShortcut('mentions', () => navigate(paths.mentions));
  useShortcut('settings', () => navigate(paths.settings));
  useShortcut('help', () => setSheet('shortcuts'));

  async function logOut() {
    const unsent = await chat.countUnsent();
    if (unsent > 0) setSheet({ unsent });
    else await onLogOut();
  }

  return (
    <div className={styles.page}>
      <button type="button" className={styles.skip} onClick={() => main.current?.focus()}>
        Skip to the {page}
      </button>
      <header className="visually-hidden">
        <h1>Milena</h1>
      </header>
      <ConnectionBanner />
      <UpdateBar />
      <div className={styles.panes} data-view={alone ? 'list' : 'main'}>
        <Sidebar
          alone={narrow && alone}
          target={target}
          filter={filter}
          onFilter={setFilter}
          onShortcuts={() => setSheet('shortcuts')}
          onLogOut={() => void logOut()}
        />
        <main ref={main} className={styles.main} tabIndex={-1}>
          {page === 'settings' && <SettingsPage onLogOut={() => void logOut()} />}
          {page === 'rooms' && <DirectoryPage />}
          {page === 'mentions' && <MentionsPage />}
          {page === 'conversation' && <ChatPane target={target} />}
        </main>
      </div>
      {sheet === 'shortcuts' && <ShortcutsDialog onClose={() => setSheet(null)} />}
      {sheet !== null && sheet !== 'shortcuts' && (
        <LogOutDialog
          unsent={sheet.unsent}
          onCancel={() => setSheet(null)}
          onConfirm={() => void onLogOut()}
        />
      )}
    </div>
  );
}
