// A page beside the list that is no conversation: its title and what one can do there on top, below it what
// scrolls. On a narrow screen, where it is all there is, it has the way back to the list.
import { useId } from 'react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';

import { paths } from '@/config/paths';

import { Icon } from './icon';
import styles from './page-frame.module.css';

interface PageFrameProps {
  title: string;
  /** `list`: lines from edge to edge; `sheets`: cards, one below the other. */
  look: 'list' | 'sheets';
  /** Beside the title. */
  actions?: ReactNode;
  /** Stays in view while the rest scrolls. */
  search?: ReactNode;
  children: ReactNode;
  /** What lies above the page and belongs to it, such as its dialogs. */
  above?: ReactNode;
}

export function PageFrame({ title, look, actions, search, children, above }: PageFrameProps) {
  const id = useId();
  return (
    <section className={styles.page} data-look={look} aria-labelledby={id}>
      <header className={styles.header}>
        <Link href={paths.home} className={styles.back} aria-label="Back to conversations">
          <Icon name="back" />
        </Link>
        <h1 id={id}>{title}</h1>
        {actions}
      </header>
      {search !== undefined && <div className={styles.search}>{search}</div>}
      {/* Scrolls by keyboard, too. */}
      <div className={styles.scroller} tabIndex={-1}>
        {children}
      </div>
      {above}
    </section>
  );
}
