// What stands where there is nothing to list: empty, failed, not found.
import type { ReactNode } from 'react';

import styles from './blank.module.css';

interface BlankProps {
  title: string;
  /** Nothing else on the page is above it. */
  alone?: boolean;
  children?: ReactNode;
  art?: ReactNode;
}

export function Blank({ title, alone = false, children, art }: BlankProps) {
  const Heading = alone ? 'h1' : 'h2';
  return (
    <div className={styles.blank}>
      {art}
      {title !== '' && <Heading>{title}</Heading>}
      {children}
    </div>
  );
}
