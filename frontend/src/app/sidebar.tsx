// The left pane: who I am, search, and the conversations.
import { useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { useLocation } from 'wouter';

import { Wordmark } from '@/components/ui/logo';
import { paths } from '@/config/paths';
import type { Target } from '@/config/paths';
import { ConversationList } from '@/features/conversations/conversation-list';
import { PeopleResults } from '@/features/people/people-results';
import { useShortcut } from '@/lib/keys/use-shortcut';

import { SearchBox } from './search-box';
import styles from './sidebar.module.css';
import { UserMenu } from './user-menu';

interface SidebarProps {
  target: Target | null;
  onShortcuts: () => void;
  onLogOut: () => void;
}

export function Sidebar({ target, onShortcuts, onLogOut }: SidebarProps) {
  const [query, setQuery] = useState('');
  const [, navigate] = useLocation();
  const search = useRef<HTMLInputElement>(null);
  const results = useRef<HTMLDivElement>(null);
  const searching = query.trim() !== '';

  useShortcut('search', () => {
    // On a narrow screen the list has to come into view first.
    if (search.current?.offsetParent === null) navigate(paths.home);
    requestAnimationFrame(() => search.current?.select());
  });

  function onSearchKey(event: KeyboardEvent) {
    const first = results.current?.querySelector('a');
    if (event.key === 'Escape') setQuery('');
    if (event.key === 'ArrowDown') first?.focus();
    if (event.key === 'Enter' && searching && first) {
      // The conversation takes the keys.
      search.current?.blur();
      first.click();
    }
    if (event.key === 'ArrowDown') event.preventDefault();
  }

  return (
    <aside className={styles.sidebar}>
      <h1 className="visually-hidden">Conversations</h1>
      <header className={styles.header}>
        <Wordmark />
        <UserMenu onShortcuts={onShortcuts} onLogOut={onLogOut} />
      </header>
      <SearchBox ref={search} value={query} onChange={setQuery} onKeyDown={onSearchKey} />
      <nav ref={results} className={styles.body} aria-label={searching ? 'Search results' : 'Conversations'}>
        {searching ? (
          <div className={styles.results}>
            <PeopleResults query={query} onChosen={() => setQuery('')} />
          </div>
        ) : (
          <ConversationList chosen={target?.kind === 'conversation' ? target.id : null} />
        )}
      </nav>
    </aside>
  );
}
