// Being told while no page is open, on this device and on others.
import { Button } from '@/components/ui/button';
import { FormError } from '@/components/ui/form-error';
import { Icon } from '@/components/ui/icon';
import { Switch } from '@/components/ui/switch';
import { deviceOf } from '@/lib/devices/device-name';
import type { PushDevice } from '@/lib/http/types';
import { ability } from '@/lib/push/browser-push';
import type { Ability } from '@/lib/push/browser-push';
import { agoTime } from '@/lib/time/format';
import { useMinute } from '@/lib/time/periods';

import { usePermission } from './permission';
import styles from './settings.module.css';
import { usePush } from './use-push';

const HINTS: Record<Ability, string> = {
  possible:
    'Your browser’s push service brings it. What it carries is encrypted for this device; it cannot read it.',
  'home-screen': 'Put Milena on the home screen first (Share, Add to Home Screen), and turn it on there.',
  missing: 'This browser cannot be told anything while it shows no page of Milena.',
};

export function PushSettings() {
  const push = usePush();
  const permission = usePermission();
  if (!push.settings?.public_key) return null;
  const can = ability();
  return (
    <>
      <Switch
        label="Also when Milena is closed"
        hint={HINTS[can]}
        checked={push.here !== null}
        disabled={push.busy || can !== 'possible' || (permission === 'denied' && !push.here)}
        onChange={(on) => (on ? push.turnOn() : push.turnOff())}
      />
      {push.here && (
        <Switch
          label="Show names and words"
          hint={
            push.settings.words
              ? 'On the screen of this device, also while it is locked.'
              : 'Whoever runs this server lets no words be sent.'
          }
          checked={push.here.words && push.settings.words}
          disabled={push.busy || !push.settings.words}
          onChange={push.showWords}
        />
      )}
      <FormError text={push.problem} />
      {push.elsewhere.length > 0 && (
        <div className={styles.elsewhere}>
          <h3 id="push-elsewhere">Other devices that are told</h3>
          <ul aria-labelledby="push-elsewhere">
            {push.elsewhere.map((device) => (
              <Device
                key={device.id}
                device={device}
                busy={push.busy}
                onRemove={() => push.remove(device.id)}
              />
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

interface DeviceProps {
  device: PushDevice;
  busy: boolean;
  onRemove: () => void;
}

function Device({ device: { label, host, created_at }, busy, onRemove }: DeviceProps) {
  const now = useMinute();
  const { name, mobile } = deviceOf(label);
  return (
    <li>
      <Icon name={mobile ? 'phone' : 'system'} />
      <span className={styles.device} title={`${label}\n${host}`}>
        {name} · since {agoTime(Date.parse(created_at), now)}
      </span>
      <Button disabled={busy} aria-label={`Tell ${name} nothing more`} onClick={onRemove}>
        Remove
      </Button>
    </li>
  );
}
