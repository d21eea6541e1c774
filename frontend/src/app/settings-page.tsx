// The settings: one sheet for each thing that one can change.
import { Link } from 'wouter';

import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Icon } from '@/components/ui/icon';
import { paths } from '@/config/paths';
import { PasswordCard } from '@/features/account/password-card';
import { ProfileCard } from '@/features/account/profile-card';
import { ReceiptsCard } from '@/features/account/receipts-card';
import { SessionsCard } from '@/features/account/sessions-card';
import { useSessions } from '@/features/account/use-sessions';
import { NotificationSettings } from '@/features/notifications/notification-settings';

import styles from './settings-page.module.css';
import { ThemeChoice } from './theme-choice';

export function SettingsPage({ onLogOut }: { onLogOut: () => void }) {
  const sessions = useSessions();
  return (
    <section className={styles.page} aria-labelledby="settings-title">
      <header className={styles.header}>
        <Link href={paths.home} className={styles.back} aria-label="Back to conversations">
          <Icon name="back" />
        </Link>
        <h1 id="settings-title">Settings</h1>
      </header>
      {/* Scrolls by keyboard, too. */}
      <div className={styles.scroller} tabIndex={-1}>
        <div className={styles.cards}>
          <ProfileCard />
          <NotificationSettings />
          <ReceiptsCard />
          <Card title="Appearance">
            <ThemeChoice labelled />
          </Card>
          <PasswordCard onChanged={sessions.reload} />
          <SessionsCard sessions={sessions} />
          <div className={styles.leave}>
            <Button onClick={onLogOut}>
              <Icon name="leave" /> Log out
            </Button>
          </div>
        </div>
      </div>
    </section>
  );
}
