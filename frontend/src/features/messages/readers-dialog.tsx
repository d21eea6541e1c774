// Who has read a message of a room, and when, as far as they show it.
import { Dialog } from '@/components/ui/dialog';
import { Spinner } from '@/components/ui/spinner';
import { useChatState } from '@/lib/chat/chat-context';
import type { Message } from '@/lib/http/types';
import { dayAndTime } from '@/lib/time/format';
import { useToday } from '@/lib/time/periods';

import styles from './people-dialog.module.css';
import { PeopleList } from './people-dialog';
import { useReaders } from './use-readers';

export function ReadersDialog({ message, onClose }: { message: Message; onClose: () => void }) {
  const { conversation, position, sender } = message;
  const told = useReaders(conversation, position);
  const members = useChatState((state) => state.conversations[conversation]?.room?.members ?? 0);
  const today = useToday();
  const readers = told?.readers.filter(({ user }) => user !== sender) ?? [];
  return (
    <Dialog title="Read by" onClose={onClose}>
      <div className={styles.sheet}>
        {told === null && <Spinner label="Loading names" />}
        {told?.failed && <p role="alert">Who has read it could not be loaded. It is asked for again.</p>}
        {told && !told.failed && (
          <>
            {readers.length === 0 && <p>Nobody yet, of those who show it.</p>}
            <PeopleList
              label="Have read it"
              people={readers.map(({ user, at }) => ({
                id: user,
                ...(at === undefined ? {} : { note: dayAndTime(Date.parse(at), today) }),
              }))}
              isWhole
            />
            <p className={styles.soft}>
              {readers.length} of {Math.max(members - 1, readers.length)} others. Whoever does not show what
              they read is not counted.
              {!told.complete && ' Some may be missing just now.'}
            </p>
          </>
        )}
      </div>
    </Dialog>
  );
}
