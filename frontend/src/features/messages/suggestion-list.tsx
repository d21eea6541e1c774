// What a text that is being typed can become, above the composer: emoji, or people. The focus stays in the
// text; the keys of the list are with those who fill it.
import type { ReactNode } from 'react';

import styles from './suggestion-list.module.css';

interface SuggestionListProps<T> {
  id: string;
  label: string;
  found: readonly T[];
  keyOf: (item: T) => string;
  /** Null until somebody moves in the list: then Tab alone takes the first one. */
  chosen: number | null;
  onTake: (item: T) => void;
  children: (item: T) => ReactNode;
}

/** With large letters not all of them are in view. */
function bringIntoView(option: HTMLElement | null) {
  option?.scrollIntoView({ block: 'nearest' });
}

export function SuggestionList<T>(props: SuggestionListProps<T>) {
  const { id, label, found, keyOf, chosen, onTake, children } = props;
  return (
    <ul id={id} className={styles.list} role="listbox" aria-label={label}>
      {found.map((item, index) => (
        <li
          key={keyOf(item)}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === chosen}
          className={styles.option}
          ref={index === chosen ? bringIntoView : undefined}
          // The text keeps the focus.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onTake(item)}
        >
          {children(item)}
          {chosen === null && index === 0 && (
            <kbd className={styles.key} aria-hidden="true">
              Tab
            </kbd>
          )}
        </li>
      ))}
    </ul>
  );
}
