// The names behind a reaction, above it while a pointer rests on it or the keyboard is there: as many as the
// server tells at once, then how many more there are. All of them are in a sheet.
import { useEffect, useLayoutEffect, useRef } from 'react';
import type { RefObject } from 'react';

import { authorName } from '@/lib/chat/author-name';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { hasLists } from '@/lib/chat/message-rights';
import type { Message, UserId } from '@/lib/http/types';
import type { Reaction } from '@/lib/timeline/change';

import styles from './reactor-tip.module.css';
import { useReactors } from './use-reactors';

const EDGE_PX = 8;
/** More than that nobody reads beside a pointer. */
const NAMED_MAX = 50;

interface ReactorTipProps {
  id: string;
  message: Message;
  reaction: Reaction;
  at: RefObject<HTMLElement | null>;
}

export function ReactorTip(props: ReactorTipProps) {
  const { reaction } = props;
  const lists = useChatState((state) => hasLists(state.limits));
  return reaction.count > reaction.users.length && lists ? (
    <Asked {...props} />
  ) : (
    <Tip {...props} users={reaction.users} />
  );
}

/** More of them than came with the message. */
function Asked(props: ReactorTipProps) {
  const chat = useChat();
  const { message, reaction } = props;
  const { items } = useReactors(chat, message, reaction.emoji, reaction.count);
  const users = items.length > 0 ? items.map(({ id }) => id) : reaction.users;
  return <Tip {...props} users={users} />;
}

function Tip({ id, reaction, at, users }: ReactorTipProps & { users: readonly UserId[] }) {
  const chat = useChat();
  const { emoji, count } = reaction;
  const tip = useRef<HTMLDivElement>(null);
  const who = useChatState((state) => {
    // Those whose names are on their way are counted among the others.
    const known = users.filter((user) => state.people[user]).slice(0, NAMED_MAX);
    const named = known.map((user) => (user === state.me.id ? 'You' : authorName(state, user)));
    const others = count - named.length;
    return listed(others > 0 ? [...named, `${others} more`] : named);
  });
  useEffect(() => chat.names.need(users), [chat, users]);
  useLayoutEffect(() => {
    const element = tip.current;
    const anchor = at.current?.getBoundingClientRect();
    if (!element || !anchor) return;
    if (!element.matches(':popover-open')) element.showPopover();
    const { width, height } = element.getBoundingClientRect();
    const left = Math.min(window.innerWidth - width - EDGE_PX, anchor.left + anchor.width / 2 - width / 2);
    const above = anchor.top - height - 6;
    element.style.left = `${Math.max(EDGE_PX, left)}px`;
    element.style.top = `${above < EDGE_PX ? anchor.bottom + 6 : above}px`;
  }, [at, who]);
  return (
    <div ref={tip} id={id} popover="manual" role="tooltip" className={styles.tip}>
      <span className={styles.emoji} aria-hidden="true">
        {emoji}
      </span>
      <span dir="auto">{who}</span>
    </div>
  );
}

export const listed = (all: readonly string[]): string =>
  all.length < 2 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1) ?? ''}`;
