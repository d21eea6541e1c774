// A question or a sheet above the page. Escape and a press beside it close it, and the focus returns to where
// it was.
import { useEffect, useId, useRef } from 'react';
import type { ReactNode } from 'react';

import { useBackCloses } from '@/lib/keys/use-back';

import { IconButton } from './button';
import styles from './dialog.module.css';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** The answers, at the lower right; without them there is a cross at the upper right. */
  buttons?: ReactNode;
  wide?: boolean;
}

export function Dialog({ title, onClose, children, buttons, wide = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const id = useId();
  useBackCloses(true, () => dialog.current?.close());
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    const middle = content.current;
    // What can only be read scrolls by keyboard, too.
    if (middle && !middle.querySelector('a, button, input, textarea') && isCut(middle)) middle.tabIndex = 0;
    // Not on what scrolls: on the first field, or else the first answer.
    const fields = dialog.current?.querySelector<HTMLElement>('input, textarea');
    (fields ?? dialog.current?.querySelector('button'))?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={[styles.dialog, wide && styles.wide].filter(Boolean).join(' ')}
      aria-labelledby={id}
      onClose={onClose}
      // The padding belongs to the dialog as well: only what lies outside its box is beside it.
      onPointerDown={(event) => {
        if (event.target === dialog.current && isOutside(dialog.current, event)) dialog.current.close();
      }}
    >
      <div className={styles.head}>
        <h2 id={id}>{title}</h2>
        {!buttons && <IconButton icon="close" label="Close" onClick={() => dialog.current?.close()} />}
      </div>
      <div ref={content} className={styles.content}>
        {children}
      </div>
      {buttons && <div className={styles.buttons}>{buttons}</div>}
    </dialog>
  );
}

const isCut = ({ scrollHeight, clientHeight }: HTMLElement) => scrollHeight > clientHeight;

function isOutside(element: HTMLElement, { clientX: x, clientY: y }: { clientX: number; clientY: number }) {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return x < left || x > right || y < top || y > bottom;
}
