// Whether somebody is here, as a mark and in words. The marks differ in shape, not in colour alone: a full
// disc, one that is half empty, and an empty ring for oneself when one hides. Somebody who is offline has
// none.
import styles from './availability.module.css';

export type ShownAvailability = 'online' | 'away' | 'offline';

export function AvailabilityMark({ mark }: { mark: 'online' | 'away' | 'hidden' }) {
  return (
    <svg
      className={[styles.mark, styles[mark]].join(' ')}
      viewBox="0 0 12 12"
      aria-hidden="true"
      data-testid="availability"
      data-availability={mark}
    >
      {mark === 'online' ? (
        <circle cx="6" cy="6" r="5.6" fill="currentColor" />
      ) : (
        <>
          <circle cx="6" cy="6" r="5" fill="none" stroke="currentColor" strokeWidth="2" />
          {mark === 'away' && <path d="M6 1a5 5 0 0 0 0 10Z" fill="currentColor" />}
        </>
      )}
    </svg>
  );
}

/** For whoever does not see the mark, after the name; of somebody who is offline nothing is said. */
export function AvailabilityText({ availability }: { availability: ShownAvailability | undefined }) {
  if (availability === undefined || availability === 'offline') return null;
  return <span className="visually-hidden"> {availability}</span>;
}
