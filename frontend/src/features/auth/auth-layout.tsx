import type { ReactNode } from 'react';

import { Postmark } from '@/components/ui/envelope';
import { Wordmark } from '@/components/ui/logo';

import styles from './auth-layout.module.css';

interface AuthLayoutProps {
  title: string;
  notice?: string | undefined;
  footer: ReactNode;
  children: ReactNode;
}

export function AuthLayout({ title, notice, footer, children }: AuthLayoutProps) {
  return (
    <main className={styles.page}>
      <div className={styles.letter}>
        <Wordmark />
        <Postmark className={styles.postmark} />
        <h1>{title}</h1>
        {notice && (
          <p className={styles.notice} role="status">
            {notice}
          </p>
        )}
        {children}
        <p className={styles.footer}>{footer}</p>
      </div>
    </main>
  );
}
