import styles from './form-error.module.css';

/** What went wrong with a form as a whole, if anything. */
export function FormError({ text }: { text: string | undefined }) {
  return (
    text !== undefined && (
      <p className={styles.error} role="alert">
        {text}
      </p>
    )
  );
}
