// Narrows the list below it.
import type { ComponentProps } from 'react';

import { Icon } from './icon';
import styles from './search-field.module.css';

type SearchFieldProps = Pick<ComponentProps<'input'>, 'onKeyDown' | 'className'> & {
  label: string;
  value: string;
  onChange: (value: string) => void;
};

/** The server takes no longer question. */
const MAX_CHARS = 64;

export function SearchField({ label, value, onChange, onKeyDown, className }: SearchFieldProps) {
  return (
    <div className={[styles.box, className].filter(Boolean).join(' ')}>
      <Icon name="search" size={18} />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        autoComplete="off"
        spellCheck={false}
        maxLength={MAX_CHARS}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={onKeyDown}
      />
    </div>
  );
}
