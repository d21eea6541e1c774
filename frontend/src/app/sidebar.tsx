// The left pane: who I am, search, and the conversations.
import { useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { useLocation } from 'wouter';

import { Wordmark } from '@/components/ui/logo';
import { paths } from '@/config/paths';
import type { Target } from '@/config/paths';
import { ConversationList } from '@/features/conversations/conversation-list';
import { ListFilters } from '@/features/conversations/list-filters';
import { MentionsLink } from '@/features/messages/mentions/mentions-link';
import { SearchBox } from '@/features/search/search-box';
import { pathOf, SearchResults } from '@/features/search/search-results';
import { useFinder } from '@/features/search/use-finder';
import type { Found } from '@/features/search/use-finder';
import { useShortcut } from '@/lib/keys/use-shortcut';
import type { ListFilter } from '@/lib/store/list-filter';

import styles from './sidebar.module.css';
import { UserMenu } from './user-menu';

interface SidebarProps {
  /** It is all that is in view. */
  alone: boolean;
  target: Target | null;
  /** What the list shows. */
  filter: ListFilter;
  onFilter: (filter: ListFilter) => void;
  onShortcuts: () => void;
  onLogOut: () => void;
}

export function Sidebar({ alone, target, filter, onFilter, onShortcuts, onLogOut }: SidebarProps) {
  const [query, setQuery] = useState('');
  const finder = useFinder(query);
  const [, navigate] = useLocation();
  const search = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLElement>(null);
  /** Where the focus was when the keys of the search were pressed. */
  const before = useRef<HTMLElement>(null);

  useShortcut('search', () => {
    const focused = document.activeElement;
    if (focused !== search.current && focused instanceof HTMLElement) before.current = focused;
    // On a narrow screen the list has to come into view first. At once, because the next key is meant for the
    // search already.
    if (search.current?.offsetParent === null) flushSync(() => navigate(paths.home));
    search.current?.select();
  });

  function take(found: Found) {
    leave();
    navigate(pathOf(found));
  }

  /** The focus goes back; a conversation that opens takes it from there. */
  function leave() {
    setQuery('');
    search.current?.blur();
    before.current?.focus();
    before.current = null;
  }

  return (
    <div className={styles.sidebar} role={alone ? 'main' : 'complementary'}>
      <h1 className="visually-hidden">Conversations</h1>
      <div className={styles.header}>
        <Wordmark />
        <MentionsLink />
        <UserMenu onShortcuts={onShortcuts} onLogOut={onLogOut} />
      </div>
      <SearchBox
        ref={search}
        value={query}
        finder={finder}
        onChange={setQuery}
        onTake={take}
        onLeave={leave}
        onIntoList={() => list.current?.querySelector('a')?.focus()}
      />
      {finder.query !== '' ? (
        <div className={styles.results}>
          <SearchResults finder={finder} onTaken={() => setQuery('')} />
        </div>
      ) : (
        <>
          <ListFilters filter={filter} onChange={onFilter} />
          <nav ref={list} className={styles.body} aria-label="Conversations">
            <ConversationList
              chosen={target?.kind === 'conversation' ? target.id : null}
              filter={filter}
              onAll={() => onFilter('all')}
            />
          </nav>
        </>
      )}
    </div>
  );
}
