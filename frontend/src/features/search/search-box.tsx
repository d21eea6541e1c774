// Where one types who is meant. The focus stays here; arrows move the choice in the list, Enter takes it,
// Escape ends the search.
import type { KeyboardEvent, Ref } from 'react';

import { IconButton } from '@/components/ui/button';
import { Icon } from '@/components/ui/icon';
import { shortcuts } from '@/config/shortcuts';
import { ariaOf } from '@/lib/keys/combo';
import { isComposing } from '@/lib/keys/composing';

import styles from './search-box.module.css';
import { optionId } from './use-finder';
import type { Finder, Found } from './use-finder';

interface SearchBoxProps {
  ref: Ref<HTMLInputElement>;
  value: string;
  finder: Finder;
  onChange: (value: string) => void;
  onTake: (found: Found) => void;
  /** Away from here, without a search. */
  onLeave: () => void;
  /** Down, with nothing searched for. */
  onIntoList: () => void;
}

const LABEL = 'Find people and conversations';

export function SearchBox({ ref, value, finder, onChange, onTake, onLeave, onIntoList }: SearchBoxProps) {
  const { chosen } = finder;
  const searching = finder.query !== '';

  function onKeyDown(event: KeyboardEvent) {
    // While an input method composes, the keys are its own.
    if (isComposing(event.nativeEvent)) return;
    const { key, altKey, ctrlKey, metaKey, shiftKey } = event;
    if (altKey || ctrlKey || metaKey || shiftKey) return;
    if (key === 'Escape') onLeave();
    else if (key === 'Enter' && chosen) onTake(chosen);
    else if (key === 'ArrowDown' && !searching) onIntoList();
    else if (key === 'ArrowDown' || (key === 'ArrowUp' && searching))
      finder.step(key === 'ArrowDown' ? 1 : -1);
    else return;
    event.preventDefault();
  }

  return (
    <div className={styles.box} role="search">
      <Icon name="search" size={18} />
      <input
        ref={ref}
        type="search"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={searching}
        aria-controls={searching ? finder.id : undefined}
        aria-activedescendant={chosen ? optionId(finder, chosen) : undefined}
        value={value}
        placeholder={LABEL}
        aria-label={LABEL}
        aria-keyshortcuts={ariaOf(shortcuts.search.keys)}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {value !== '' && <IconButton icon="close" label="Clear search" onClick={() => onChange('')} />}
    </div>
  );
}
