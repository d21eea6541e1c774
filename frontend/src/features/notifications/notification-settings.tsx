import { Card } from '@/components/ui/card';
import { Switch } from '@/components/ui/switch';

import { turnOn, usePermission } from './permission';
import type { Permission } from './permission';
import { PushSettings } from './push-settings';
import { setPreferences, usePreferences } from './preferences';
import { chime } from './sound';

const HINTS: Record<Permission, string> = {
  granted: 'Shown while you look at something else.',
  default: 'Your browser asks whether Milena may show them.',
  denied:
    'Your browser does not let this page show them. You can allow it in the settings of the page, ' +
    'beside its address.',
  missing: 'This browser shows them only on pages with a secure connection (https).',
};

export function NotificationSettings() {
  const { desktop, sound } = usePreferences();
  const permission = usePermission();
  const possible = permission === 'granted' || permission === 'default';
  return (
    <Card title="Notifications" about="For this browser. A conversation that you are looking at makes none.">
      <Switch
        label="Notifications on the desktop"
        hint={HINTS[permission]}
        checked={desktop && permission === 'granted'}
        disabled={!possible}
        onChange={(on) => {
          if (on) void turnOn();
          else setPreferences({ desktop: false });
        }}
      />
      <Switch
        label="A sound for new messages"
        checked={sound}
        onChange={(on) => {
          setPreferences({ sound: on });
          if (on) void chime();
        }}
      />
      <PushSettings />
    </Card>
  );
}
