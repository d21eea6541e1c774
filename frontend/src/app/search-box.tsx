import type { KeyboardEvent, Ref } from 'react';

import { IconButton } from '@/components/ui/button';
import { Icon } from '@/components/ui/icon';
import { shortcuts } from '@/config/shortcuts';
import { ariaOf } from '@/lib/keys/combo';

import styles from './search-box.module.css';

interface SearchBoxProps {
  ref: Ref<HTMLInputElement>;
  value: string;
  onChange: (value: string) => void;
  onKeyDown: (event: KeyboardEvent) => void;
}

export function SearchBox({ ref, value, onChange, onKeyDown }: SearchBoxProps) {
  return (
    <div className={styles.box} role="search">
      <Icon name="search" size={18} />
      <input
        ref={ref}
        type="search"
        value={value}
        placeholder="Find people"
        aria-label="Find people"
        aria-keyshortcuts={ariaOf(shortcuts.search.keys)}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={onKeyDown}
      />
      {value !== '' && <IconButton icon="close" label="Clear search" onClick={() => onChange('')} />}
    </div>
  );
}
