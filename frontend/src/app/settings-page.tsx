// The settings: one sheet for each thing that one can change.
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { Icon } from '@/components/ui/icon';
import { PageFrame } from '@/components/ui/page-frame';
import { PasswordCard } from '@/features/account/password-card';
import { PresenceCard } from '@/features/account/presence-card';
import { ProfileCard } from '@/features/account/profile-card';
import { ReceiptsCard } from '@/features/account/receipts-card';
import { SessionsCard } from '@/features/account/sessions-card';
import { useSessions } from '@/features/account/use-sessions';
import { LevelsCard } from '@/features/notifications/levels-card';
import { NotificationSettings } from '@/features/notifications/notification-settings';
import { QuietCard } from '@/features/notifications/quiet-card';

import styles from './settings-page.module.css';
import { ThemeChoice } from './theme-choice';

export function SettingsPage({ onLogOut }: { onLogOut: () => void }) {
  const sessions = useSessions();
  return (
    <PageFrame title="Settings" look="sheets">
      <div className={styles.cards}>
        <ProfileCard />
        <NotificationSettings />
        <LevelsCard />
        <QuietCard />
        <PresenceCard />
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
    </PageFrame>
  );
}
