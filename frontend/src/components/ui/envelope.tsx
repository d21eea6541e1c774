// A letter, as decoration of what is still empty: addressed to somebody, or to nobody yet.
import { Logo } from './logo';
import styles from './envelope.module.css';

export function Envelope({ to }: { to?: string }) {
  return (
    <span className={styles.envelope} aria-hidden="true">
      <span className={styles.paper}>
        <span className={styles.stamp}>
          <Logo size={30} />
        </span>
        <Postmark className={styles.postmark} />
        <span className={styles.address}>
          {to !== undefined && (
            <span className={styles.to} dir="auto">
              {to}
            </span>
          )}
          <span />
          <span />
          {to === undefined && <span />}
        </span>
      </span>
    </span>
  );
}

/** Two rings and the waves that cancel a stamp. */
export function Postmark({ className }: { className?: string | undefined }) {
  return (
    <svg
      className={className}
      width="92"
      height="46"
      viewBox="0 0 92 46"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      aria-hidden="true"
    >
      <circle cx="23" cy="23" r="21" />
      <circle cx="23" cy="23" r="14.5" />
      <path d="M17.5 27.5v-9l5.5 5 5.5-5v9" />
      <path d="M48 12c7-5 11 5 18 0s11-5 18 0M48 19.5c7-5 11 5 18 0s11-5 18 0" />
      <path d="M48 27c7-5 11 5 18 0s11-5 18 0M48 34.5c7-5 11 5 18 0s11-5 18 0" />
    </svg>
  );
}
