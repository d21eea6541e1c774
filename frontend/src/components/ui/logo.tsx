// An M that is also the flap of an envelope, in sealing wax.
import styles from './logo.module.css';

export function Logo({ size = 32 }: { size?: number }) {
  return (
    <svg className={styles.logo} width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" className={styles.wax} />
      <path d="M8 23.5V9.5l8 7.5 8-7.5v14z" className={styles.stroke} />
    </svg>
  );
}

export function Wordmark() {
  return (
    <span className={styles.wordmark}>
      <Logo size={30} />
      <span>Milena</span>
    </span>
  );
}
