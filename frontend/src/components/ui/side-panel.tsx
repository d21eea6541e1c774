// What stands beside a conversation when it is asked for; on a phone a page of its own. It takes the focus,
// Escape, Back and the cross close it, and the focus returns to where it was.
import { useEffect, useId, useRef } from 'react';
import type { ReactNode } from 'react';

import { isComposing } from '@/lib/keys/composing';
import { useBackCloses } from '@/lib/keys/use-back';

import { IconButton } from './button';
import styles from './side-panel.module.css';

interface SidePanelProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** What lies above the page and belongs to the panel, such as its dialogs. */
  above?: ReactNode;
}

export function SidePanel({ title, onClose, children, above }: SidePanelProps) {
  const panel = useRef<HTMLElement>(null);
  const id = useId();
  useBackCloses(true, onClose);
  useEffect(() => {
    const before = document.activeElement;
    const element = panel.current;
    element?.focus();
    return () => {
      const inside = document.activeElement === document.body || element?.contains(document.activeElement);
      if (inside && before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <aside
      ref={panel}
      tabIndex={-1}
      className={styles.panel}
      aria-labelledby={id}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || isComposing(event.nativeEvent) || event.defaultPrevented) return;
        // A dialog of it closes by itself.
        if (!(event.target as Element).closest('dialog')) onClose();
      }}
    >
      <header className={styles.header}>
        <h2 id={id}>{title}</h2>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </header>
      {/* Scrolls by keyboard, too. */}
      <div className={styles.scroller} tabIndex={-1}>
        {children}
      </div>
      {above}
    </aside>
  );
}
