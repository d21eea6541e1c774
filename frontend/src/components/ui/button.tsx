import type { ComponentProps } from 'react';

import { Icon } from './icon';
import type { IconName } from './icon';
import styles from './button.module.css';

type ButtonProps = ComponentProps<'button'> & { look?: 'solid' | 'plain' | 'text'; busy?: boolean };

/** `busy` keeps the width and says so to screen readers; the caller ignores presses meanwhile. */
export function Button({ look = 'plain', busy = false, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-busy={busy || undefined}
      className={[styles.button, styles[look], className].filter(Boolean).join(' ')}
    >
      {children}
    </button>
  );
}

type IconButtonProps = ComponentProps<'button'> & { icon: IconName; label: string };

export function IconButton({ icon, label, className, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      title={label}
      aria-label={label}
      {...rest}
      className={[styles.icon, className].filter(Boolean).join(' ')}
    >
      <Icon name={icon} />
    </button>
  );
}
