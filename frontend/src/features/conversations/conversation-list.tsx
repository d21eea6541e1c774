// People and rooms together, newest activity first, all or what was asked for; only the rows in view are in
// the document.
import { createContext, use, useEffect, useEffectEvent, useRef } from 'react';
import type { Ref } from 'react';
import { Virtualizer } from 'virtua';
import type { CustomItemComponentProps, VirtualizerHandle } from 'virtua';
import { Link } from 'wouter';
import { useShallow } from 'zustand/react/shallow';

import { Blank } from '@/components/ui/blank';
import { Button } from '@/components/ui/button';
import { Envelope } from '@/components/ui/envelope';
import { ListSkeleton } from '@/components/ui/skeleton';
import { paths } from '@/config/paths';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { walkList } from '@/lib/keys/walk-list';
import { shownIds } from '@/lib/store/list-filter';
import type { ListFilter } from '@/lib/store/list-filter';

import { ConversationRow } from './conversation-row';
import styles from './conversation-list.module.css';

const ROW_PX = 70;
/** So many fill any screen. */
const ENOUGH = 30;
/** How many rows there are; -1 when nobody knows. */
const Count = createContext(-1);

interface ConversationListProps {
  chosen: string | null;
  filter: ListFilter;
  /** Shows all of them again. */
  onAll: () => void;
}

export function ConversationList({ chosen, filter, onAll }: ConversationListProps) {
  const chat = useChat();
  const list = useChatState((state) => state.list);
  const empty = useChatState((state) => state.order.length === 0);
  const order = useChatState(useShallow((state) => shownIds(state, filter, chosen)));
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useRef<VirtualizerHandle>(null);

  // By keyboard one gets beyond the edge of the list.
  const reveal = useEffectEvent((id: string | null) => {
    const index = id === null ? -1 : order.indexOf(id);
    if (index >= 0) virtualizer.current?.scrollToIndex(index, { align: 'nearest' });
  });
  useEffect(() => reveal(chosen), [chosen]);

  // Of many, few may be what was asked for: the next page has more of them.
  const wantsMore = list.next !== null && !list.loadingMore && filter !== 'all' && order.length < ENOUGH;
  useEffect(() => {
    if (wantsMore) void chat.conversations.more();
  }, [chat, wantsMore, list.next]);

  if (empty) return <Nothing status={list.status} onRetry={() => chat.conversations.retry()} />;
  if (order.length === 0)
    return list.next === null ? (
      <NoneOf filter={filter} onAll={onAll} />
    ) : (
      <ListSkeleton label="Loading conversations" />
    );

  function onScroll(offset: number) {
    const handle = virtualizer.current;
    if (handle && list.next !== null && offset + handle.viewportSize * 2 > handle.scrollSize)
      void chat.conversations.more();
  }

  return (
    <div ref={scroller} className={styles.scroller} onKeyDown={walkList}>
      <Count value={list.next === null ? order.length : -1}>
        <Virtualizer ref={virtualizer} as="ul" item={Item} itemSize={ROW_PX} data={order} onScroll={onScroll}>
          {(id) => <ConversationRow key={id} id={id} chosen={id === chosen} />}
        </Virtualizer>
      </Count>
    </div>
  );
}

/** Only those in view are in the document: how many there are is said to whom it is read out. */
function Item({ index, style, children, ref }: CustomItemComponentProps & { ref?: Ref<HTMLLIElement> }) {
  const count = use(Count);
  return (
    <li ref={ref} style={style} aria-posinset={index + 1} aria-setsize={count}>
      {children}
    </li>
  );
}

function Nothing({ status, onRetry }: { status: 'loading' | 'ready' | 'failed'; onRetry: () => void }) {
  const me = useChatState((state) => state.me);
  if (status === 'loading') return <ListSkeleton label="Loading conversations" />;
  if (status === 'failed')
    return (
      <Blank title="Conversations could not be loaded">
        <Button onClick={onRetry}>Try again</Button>
      </Blank>
    );
  return (
    <Blank
      title="No letters yet"
      art={
        <span className={styles.onePane}>
          <Envelope to={me.display_name} />
        </span>
      }
    >
      <p>Find somebody by name above, and write the first one.</p>
      <Link href={paths.rooms}>Find or create a room</Link>
      {/* Where there is one pane only, the other one does not say it. */}
      <div className={styles.onePane}>
        <p>
          Others find you as <strong>@{me.username}</strong>.
        </p>
        <Link href={paths.person(me.id)}>Write a first note to yourself</Link>
      </div>
    </Blank>
  );
}

const NONE_OF: Record<ListFilter, { title: string; text: string }> = {
  all: { title: 'No letters yet', text: '' },
  unread: { title: 'Everything is read', text: 'New letters will show here.' },
  people: { title: 'No letters from people yet', text: 'Find somebody by name above, and write to them.' },
  rooms: { title: 'You are in no room yet', text: 'Look for one that you like, or make one of your own.' },
};

function NoneOf({ filter, onAll }: { filter: ListFilter; onAll: () => void }) {
  const { title, text } = NONE_OF[filter];
  return (
    <Blank title={title}>
      <p>{text}</p>
      {filter === 'rooms' ? (
        <Link href={paths.rooms}>Find or create a room</Link>
      ) : (
        <Button onClick={onAll}>Show all conversations</Button>
      )}
    </Blank>
  );
}
