// All conversations, newest activity first; only the rows in view are in the document.
import { useEffect, useEffectEvent, useRef } from 'react';
import type { KeyboardEvent, Ref } from 'react';
import { Virtualizer } from 'virtua';
import type { CustomItemComponentProps, VirtualizerHandle } from 'virtua';
import { Link } from 'wouter';

import { Blank } from '@/components/ui/blank';
import { Button } from '@/components/ui/button';
import { Envelope } from '@/components/ui/envelope';
import { ListSkeleton } from '@/components/ui/skeleton';
import { paths } from '@/config/paths';
import { useChat, useChatState } from '@/lib/chat/chat-context';

import { ConversationRow } from './conversation-row';
import styles from './conversation-list.module.css';

const ROW_PX = 70;

export function ConversationList({ chosen }: { chosen: string | null }) {
  const chat = useChat();
  const list = useChatState((state) => state.list);
  const order = useChatState((state) => state.order);
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useRef<VirtualizerHandle>(null);

  // By keyboard one gets beyond the edge of the list.
  const reveal = useEffectEvent((id: string | null) => {
    const index = id === null ? -1 : order.indexOf(id);
    if (index >= 0) virtualizer.current?.scrollToIndex(index, { align: 'nearest' });
  });
  useEffect(() => reveal(chosen), [chosen]);

  if (order.length === 0) return <Nothing status={list.status} onRetry={() => chat.conversations.retry()} />;

  function onScroll(offset: number) {
    const handle = virtualizer.current;
    if (handle && list.next !== null && offset + handle.viewportSize * 2 > handle.scrollSize)
      void chat.conversations.more();
  }

  return (
    <div ref={scroller} className={styles.scroller} onKeyDown={moveFocus}>
      <Virtualizer ref={virtualizer} as="ul" item={Item} itemSize={ROW_PX} data={order} onScroll={onScroll}>
        {(id) => <ConversationRow key={id} id={id} chosen={id === chosen} />}
      </Virtualizer>
    </div>
  );
}

/** Only those in view are in the document: how many there are is said to whom it is read out. */
function Item({ index, style, children, ref }: CustomItemComponentProps & { ref?: Ref<HTMLLIElement> }) {
  const count = useChatState((state) => (state.list.next === null ? state.order.length : -1));
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

/** Arrow keys walk through the rows, as in any list. */
function moveFocus(event: KeyboardEvent<HTMLElement>) {
  const { key, altKey, ctrlKey, metaKey, shiftKey } = event;
  if ((key !== 'ArrowDown' && key !== 'ArrowUp') || altKey || ctrlKey || metaKey || shiftKey) return;
  const item = document.activeElement?.closest('li');
  const next = key === 'ArrowDown' ? item?.nextElementSibling : item?.previousElementSibling;
  const link = next?.querySelector('a');
  if (!link) return;
  event.preventDefault();
  link.focus();
}
