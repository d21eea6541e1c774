// One time of the week at which one is not to be disturbed: the days on which it begins, and from when to
// when. What makes no sense is said here and not sent.
import { useState } from 'react';

import { IconButton } from '@/components/ui/button';
import { DAYS } from '@/lib/tell/quiet';
import type { Day, QuietWindow } from '@/lib/tell/settings';

import styles from './settings.module.css';

const NAMES: Record<Day, string> = {
  mon: 'Monday',
  tue: 'Tuesday',
  wed: 'Wednesday',
  thu: 'Thursday',
  fri: 'Friday',
  sat: 'Saturday',
  sun: 'Sunday',
};

interface QuietWindowFieldsProps {
  number: number;
  window: QuietWindow;
  onChange: (window: QuietWindow) => void;
  onRemove: () => void;
}

export function QuietWindowFields({ number, window, onChange, onRemove }: QuietWindowFieldsProps) {
  /** What does not make sense yet. */
  const [draft, setDraft] = useState<QuietWindow | null>(null);
  const shown = draft ?? window;
  const problem = draft && problemOf(draft);

  function set(change: Partial<QuietWindow>) {
    const next = { ...shown, ...change };
    const makesSense = problemOf(next) === null;
    setDraft(makesSense ? null : next);
    if (makesSense) onChange(next);
  }

  return (
    <fieldset className={styles.window}>
      <legend className="visually-hidden">Time {number}</legend>
      <div className={styles.days}>
        {DAYS.map((day) => (
          <label key={day} title={NAMES[day]}>
            <input
              type="checkbox"
              className="visually-hidden"
              checked={shown.days.includes(day)}
              onChange={(event) =>
                set({
                  days: DAYS.filter((one) => (one === day ? event.target.checked : shown.days.includes(one))),
                })
              }
            />
            <span aria-hidden="true">{NAMES[day].slice(0, 2)}</span>
            <span className="visually-hidden">{NAMES[day]}</span>
          </label>
        ))}
      </div>
      <div className={styles.times}>
        <label>
          From{' '}
          <input type="time" value={shown.from} onChange={(event) => set({ from: event.target.value })} />
        </label>
        <label>
          to{' '}
          <input
            type="time"
            value={shown.to === '24:00' ? '00:00' : shown.to}
            onChange={(event) => set({ to: event.target.value })}
          />
        </label>
        <IconButton icon="trash" label={`Remove time ${number}`} onClick={onRemove} />
      </div>
      {problem !== null && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </fieldset>
  );
}

function problemOf({ days, from, to }: QuietWindow): string | null {
  if (days.length === 0) return 'Choose at least one day.';
  if (from === '' || to === '') return 'Say from when to when.';
  return from === to ? 'It has to begin and end at different times.' : null;
}
