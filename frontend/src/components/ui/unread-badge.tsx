import styles from './unread-badge.module.css';

interface UnreadBadgeProps {
  count: number;
  /** They do not call: it is muted. */
  muted?: boolean;
  className?: string | undefined;
}

/** How many messages were not read, if any; `className` says where it stands. */
export function UnreadBadge({ count, muted = false, className }: UnreadBadgeProps) {
  if (count === 0) return null;
  return (
    <span className={[styles.badge, muted && styles.muted, className].filter(Boolean).join(' ')}>
      {count > 99 ? '99+' : count}
      <span className="visually-hidden">{muted ? ' unread, muted' : ' unread'}</span>
    </span>
  );
}

/** How many of the unread ones name oneself, apart from how many there are. */
export function MentionBadge({ count }: { count: number }) {
  if (count === 0) return null;
  return (
    <span className={[styles.badge, styles.mention].join(' ')}>
      <span aria-hidden="true">@{count > 99 ? '99+' : count}</span>
      <span className="visually-hidden">
        {count === 1 ? 'one names you, ' : `${count > 99 ? 'more than 99' : count} name you, `}
      </span>
    </span>
  );
}
