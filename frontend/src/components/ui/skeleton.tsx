// Where something is about to stand, in its shape: nothing jumps when it comes. Appears after a moment only,
// so that quick answers do not flicker.
import styles from './skeleton.module.css';

const ROWS = [62, 48, 70, 55, 66, 44];

/** Of the conversations. */
export function ListSkeleton({ label }: { label: string }) {
  return (
    <div className={styles.list} role="status" aria-label={label}>
      {ROWS.map((percent, index) => (
        <div key={index} className={styles.row}>
          <span className={styles.circle} />
          <span className={styles.bar} style={{ width: `${percent - 18}%` }} />
          <span className={styles.bar} style={{ width: `${percent + 14}%` }} />
        </div>
      ))}
    </div>
  );
}

/** Lines of a message, and whose they are, from above. */
const BUBBLES: [width: number, lines: number, mine: boolean][] = [
  [52, 1, false],
  [64, 2, false],
  [40, 1, true],
  [70, 3, false],
  [36, 1, true],
  [58, 2, true],
  [44, 1, false],
];

/** Of the messages of a conversation. */
export function MessagesSkeleton({ label }: { label: string }) {
  return (
    <div className={styles.messages} role="status" aria-label={label}>
      {BUBBLES.map(([percent, lines, mine], index) => (
        <span
          key={index}
          className={[styles.bubble, mine && styles.mine].filter(Boolean).join(' ')}
          style={{ width: `${percent}%`, height: `${lines * 1.36 + 1}rem` }}
        />
      ))}
    </div>
  );
}
