import { Button } from '@/components/ui/button';
import { Card } from '@/components/ui/card';
import { FormError } from '@/components/ui/form-error';
import { Icon } from '@/components/ui/icon';
import { Spinner } from '@/components/ui/spinner';
import type { Session } from '@/lib/http/types';
import { agoTime, fullTime } from '@/lib/time/format';
import { useMinute } from '@/lib/time/periods';

import styles from './account.module.css';
import { deviceOf } from '@/lib/devices/device-name';
import type { Sessions } from './use-sessions';

export function SessionsCard({
  sessions: { sessions, error, ending, reload, end, endOthers },
}: {
  sessions: Sessions;
}) {
  const others = sessions?.filter(({ current }) => !current) ?? [];
  const inOrder = sessions?.toSorted((a, b) => Number(b.current) - Number(a.current)) ?? [];
  return (
    <Card title="Where you are logged in" about="Logging out a device ends its connection at once.">
      {sessions === null && error === null && <Spinner label="Loading" />}
      <FormError text={error ?? undefined} />
      {error !== null && (
        <Button className={styles.again} onClick={reload}>
          Try again
        </Button>
      )}
      <ul className={styles.sessions} aria-label="Sessions">
        {inOrder.map((session) => (
          <SessionRow
            key={session.id}
            session={session}
            busy={ending === session.id || (ending === 'others' && !session.current)}
            onEnd={() => end(session.id)}
          />
        ))}
      </ul>
      {others.length > 0 && (
        <Button busy={ending === 'others'} onClick={endOthers}>
          Log out everywhere else
        </Button>
      )}
      {sessions?.length === 1 && <p className={styles.only}>You are logged in nowhere else.</p>}
    </Card>
  );
}

function SessionRow({ session, busy, onEnd }: { session: Session; busy: boolean; onEnd: () => void }) {
  const { name, mobile } = deviceOf(session.user_agent);
  const begun = Date.parse(session.created_at);
  const seen = Date.parse(session.last_seen_at);
  return (
    <li className={styles.session}>
      <Icon name={mobile ? 'phone' : 'system'} />
      <div className={styles.device} title={session.user_agent}>
        <strong>
          {name}
          {session.current && <span className={styles.current}>This device</span>}
        </strong>
        <span>
          {session.current ? (
            'Active now'
          ) : (
            <>
              Last seen <Moment ms={seen} />
            </>
          )}{' '}
          · logged in <Moment ms={begun} />
        </span>
      </div>
      {!session.current && (
        <Button busy={busy} aria-label={`Log out ${name}`} onClick={onEnd}>
          Log out
        </Button>
      )}
    </li>
  );
}

function Moment({ ms }: { ms: number }) {
  return (
    <time dateTime={new Date(ms).toISOString()} title={fullTime(ms)}>
      {agoTime(ms, useMinute())}
    </time>
  );
}
