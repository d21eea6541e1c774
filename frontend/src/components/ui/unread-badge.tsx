import styles from './unread-badge.module.css';

/** How many messages were not read, if any; `className` says where it stands. */
export function UnreadBadge({ count, className }: { count: number; className?: string | undefined }) {
  if (count === 0) return null;
  return (
    <span className={[styles.badge, className].filter(Boolean).join(' ')}>
      {count > 99 ? '99+' : count}
      <span className="visually-hidden"> unread</span>
    </span>
  );
}
