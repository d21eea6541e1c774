// What a message said before it was edited, the newest words first: for its author and moderators, where the
// server keeps it.
import { useEffect, useState } from 'react';

import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { Spinner } from '@/components/ui/spinner';
import { useChat } from '@/lib/chat/chat-context';
import { ApiError, explainError } from '@/lib/http/api-error';
import type { EditList, Message } from '@/lib/http/types';
import { dayAndTime } from '@/lib/time/format';
import { useToday } from '@/lib/time/periods';

import { MessageBody } from './format/message-body';
import styles from './people-dialog.module.css';

const NOT_KEPT = 'The server does not keep what messages said before.';

export function EditsDialog({ message, onClose }: { message: Message; onClose: () => void }) {
  const chat = useChat();
  const { conversation, position, edited, body = '' } = message;
  const [told, setTold] = useState<EditList | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let current = true;
    chat.edits.of(conversation, position).then(
      (answer) => current && setTold(answer),
      (error: unknown) => {
        const unkept = error instanceof ApiError && error.code === 'not_found';
        if (current) setProblem(unkept ? NOT_KEPT : explainError(error));
      },
    );
    return () => {
      current = false;
    };
    // Anew when it is edited meanwhile.
  }, [chat, conversation, position, edited, tries]);
  const today = useToday();
  const versions = told?.edits.toReversed() ?? [];

  async function loadOlder() {
    const [first] = told?.edits ?? [];
    if (!told || !first) return;
    try {
      const { edits, has_before } = await chat.edits.of(conversation, position, first.position);
      setTold({ edits: [...edits, ...told.edits], ...(has_before === undefined ? {} : { has_before }) });
    } catch (error) {
      setProblem(explainError(error));
    }
  }

  return (
    <Dialog title="Earlier versions" onClose={onClose}>
      <div className={styles.sheet}>
        {told === null && problem === null && <Spinner label="Loading" />}
        {problem !== null && (
          <div role="alert">
            <p>{problem}</p>
            {problem !== NOT_KEPT && (
              <Button
                onClick={() => {
                  setProblem(null);
                  setTries(tries + 1);
                }}
              >
                Try again
              </Button>
            )}
          </div>
        )}
        {told?.edits.length === 0 && <p>No earlier version of it was kept.</p>}
        <ul>
          {versions.map((version) => (
            <li key={version.position} className={styles.version}>
              <p>
                {version.body === body ? 'Now, since ' : ''}
                <time dateTime={version.at}>{dayAndTime(Date.parse(version.at), today)}</time>
              </p>
              <div>
                <MessageBody id={`version-${version.position}`} text={version.body} />
              </div>
            </li>
          ))}
        </ul>
        {told?.has_before === true && <Button onClick={() => void loadOlder()}>Show older ones</Button>}
      </div>
    </Dialog>
  );
}
