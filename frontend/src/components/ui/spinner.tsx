import styles from './spinner.module.css';

/** Appears after a moment only, so that quick answers do not flicker. */
export function Spinner({ label }: { label: string }) {
  return <span className={styles.spinner} role="status" aria-label={label} />;
}
