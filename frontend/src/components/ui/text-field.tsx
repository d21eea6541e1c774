// A labelled input with its rule and its error beside it, tied together for screen readers.
import { useId, useState } from 'react';
import type { ComponentProps, KeyboardEvent } from 'react';

import { isComposing } from '@/lib/keys/composing';

import { IconButton } from './button';
import styles from './text-field.module.css';

type TextFieldProps = Omit<ComponentProps<'input'>, 'onChange' | 'value'> & {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** The rule, shown while there is no error. */
  hint?: string | undefined;
  error?: string | null;
};

export function TextField({ label, value, onChange, hint, error, type, ...rest }: TextFieldProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  const secret = type === 'password';
  const note = error ?? hint;
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <div className={styles.box}>
        <input
          {...rest}
          id={id}
          type={secret && shown ? 'text' : type}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={leaveToInputMethod}
          aria-invalid={error ? true : undefined}
          aria-describedby={note ? `${id}-note` : undefined}
        />
        {secret && (
          <IconButton
            icon="eye"
            label={shown ? 'Hide password' : 'Show password'}
            aria-pressed={shown}
            onClick={() => setShown(!shown)}
          />
        )}
      </div>
      <p id={`${id}-note`} className={error ? styles.error : styles.hint} aria-live="polite">
        {note}
      </p>
    </div>
  );
}

/** Enter that chooses a character does not send the form. */
function leaveToInputMethod(event: KeyboardEvent) {
  if (event.key === 'Enter' && isComposing(event.nativeEvent)) event.preventDefault();
}
