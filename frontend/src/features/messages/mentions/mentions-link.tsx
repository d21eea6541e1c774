// The way to all that names oneself, with how much of it is unread.
import { Link, useLocation } from 'wouter';

import { Icon } from '@/components/ui/icon';
import { paths } from '@/config/paths';
import { useChatState } from '@/lib/chat/chat-context';
import { hasLists } from '@/lib/chat/message-rights';

import styles from './mentions-link.module.css';

export function MentionsLink() {
  const [location] = useLocation();
  const lists = useChatState((state) => hasLists(state.limits));
  const unread = useChatState(({ order, conversations }) =>
    order.reduce((sum, id) => sum + (conversations[id]?.mentions ?? 0), 0),
  );
  if (!lists) return null;
  return (
    <Link
      href={paths.mentions}
      className={styles.link}
      aria-label={unread === 0 ? 'Mentions' : `Mentions, ${unread} unread`}
      title="Mentions"
      aria-current={location === paths.mentions ? 'page' : undefined}
    >
      <Icon name="at" />
      {unread > 0 && (
        <span className={styles.count} aria-hidden="true">
          {unread > 99 ? '99+' : unread}
        </span>
      )}
    </Link>
  );
}
