// What stands where there is nothing to list: empty, failed, not found.
import type { ReactNode } from 'react';

import styles from './blank.module.css';

export function Blank({ title, children, art }: { title: string; children?: ReactNode; art?: ReactNode }) {
  return (
    <div className={styles.blank}>
      {art}
      <h2>{title}</h2>
      {children}
    </div>
  );
}
