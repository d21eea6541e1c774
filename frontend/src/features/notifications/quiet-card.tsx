// When one is not to be disturbed: for a while from now on, and every week by the clock on one's wall.
import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { FormError } from '@/components/ui/form-error';
import { Switch } from '@/components/ui/switch';
import { DAYS, isQuiet } from '@/lib/tell/quiet';
import type { General, QuietSchedule, QuietWindow } from '@/lib/tell/settings';
import { dayAndTime } from '@/lib/time/format';
import { useMinute, useToday } from '@/lib/time/periods';

import { QuietWindowFields } from './quiet-window-fields';
import styles from './settings.module.css';
import { inAnHour, tomorrowMorning } from './until';
import { useGeneral } from './use-general';

const WINDOWS_MAX = 14;
const NIGHT: QuietWindow = { days: DAYS, from: '22:00', to: '07:00' };

const ownTimeZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

export function QuietCard() {
  const { general, problem, change } = useGeneral();
  const now = useMinute();
  if (!general) return null;
  const schedule = general.dnd_schedule;
  const setSchedule = (dnd_schedule: QuietSchedule | null) => void change({ dnd_schedule });
  return (
    <Card
      title="Do not disturb"
      about="No sounds, and nothing on the desktop or the phone, on all your devices. Messages are counted."
    >
      <div className={styles.sections}>
        <ForAWhile general={general} onChange={(dnd_until) => void change({ dnd_until })} />
        <Switch
          label="Every week at the same times"
          hint={schedule ? `By the clock of ${schedule.time_zone.replaceAll('_', ' ')}.` : undefined}
          checked={schedule !== null}
          onChange={(on) => setSchedule(on ? { time_zone: ownTimeZone(), windows: [NIGHT] } : null)}
        />
        {schedule && <Schedule schedule={schedule} onChange={setSchedule} />}
        <p role="status" className={styles.now}>
          {isQuiet(general, now) ? 'You are not disturbed now.' : ''}
        </p>
        <FormError text={problem} />
      </div>
    </Card>
  );
}

interface ForAWhileProps {
  general: General;
  onChange: (until: string | null) => void;
}

function ForAWhile({ general: { dnd_until }, onChange }: ForAWhileProps) {
  const today = useToday();
  const now = useMinute();
  const until = dnd_until === null ? 0 : Date.parse(dnd_until);
  if (until > now)
    return (
      <div className={styles.while}>
        <p>
          <strong>Until {dayAndTime(until, today)}</strong>
        </p>
        <Button onClick={() => onChange(null)}>End it now</Button>
      </div>
    );
  return (
    <div className={styles.while}>
      <Button onClick={() => onChange(inAnHour(Date.now()))}>For 1 hour</Button>
      <Button onClick={() => onChange(tomorrowMorning(Date.now()))}>Until tomorrow</Button>
    </div>
  );
}

interface ScheduleProps {
  schedule: QuietSchedule;
  onChange: (schedule: QuietSchedule | null) => void;
}

function Schedule({ schedule, onChange }: ScheduleProps) {
  const { time_zone, windows } = schedule;
  const set = (all: readonly QuietWindow[]) =>
    onChange(all.length === 0 ? null : { time_zone, windows: all });
  const here = ownTimeZone();
  return (
    <div className={styles.schedule}>
      {windows.map((window, index) => (
        <QuietWindowFields
          // They have no other name, and none of them moves.
          key={index}
          number={index + 1}
          window={window}
          onChange={(changed) => set(windows.map((one, at) => (at === index ? changed : one)))}
          onRemove={() => set(windows.filter((_, at) => at !== index))}
        />
      ))}
      <div className={styles.while}>
        {windows.length < WINDOWS_MAX && (
          <Button onClick={() => set([...windows, NIGHT])}>Add another time</Button>
        )}
        {here !== time_zone && (
          <Button onClick={() => onChange({ time_zone: here, windows })}>
            Use the clock of {here.replaceAll('_', ' ')}
          </Button>
        )}
      </div>
    </div>
  );
}
