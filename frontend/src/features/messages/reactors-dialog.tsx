// Who put what to a message: all of them, by name, as far as one scrolls.
import { useState } from 'react';

import { Button } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { LoadMore } from '@/components/ui/load-more';
import { Spinner } from '@/components/ui/spinner';
import { useChat } from '@/lib/chat/chat-context';
import type { Message } from '@/lib/http/types';

import styles from './people-dialog.module.css';
import { PeopleList } from './people-dialog';
import { useReactors } from './use-reactors';

interface ReactorsDialogProps {
  message: Message;
  /** Of which one asks first. */
  emoji: string | null;
  onClose: () => void;
}

export function ReactorsDialog({ message, emoji, onClose }: ReactorsDialogProps) {
  const { reactions = [] } = message;
  const [wanted, setWanted] = useState(emoji ?? reactions[0]?.emoji ?? '');
  // The last of a kind was taken back meanwhile.
  const here = reactions.find((one) => one.emoji === wanted) ?? reactions[0];
  return (
    <Dialog title="Who reacted" onClose={onClose}>
      <div className={styles.sheet}>
        <fieldset className={styles.emoji}>
          <legend className="visually-hidden">With what</legend>
          {reactions.map(({ emoji: value, count }) => (
            <label key={value}>
              <input
                type="radio"
                className="visually-hidden"
                name="reactors-of"
                aria-label={`${value} ${count}`}
                checked={value === here?.emoji}
                onChange={() => setWanted(value)}
              />
              <span aria-hidden="true">{value}</span> {count}
            </label>
          ))}
        </fieldset>
        {here ? (
          <Reactors message={message} emoji={here.emoji} count={here.count} />
        ) : (
          <p className={styles.soft}>Nobody any more.</p>
        )}
      </div>
    </Dialog>
  );
}

function Reactors({ message, emoji, count }: { message: Message; emoji: string; count: number }) {
  const chat = useChat();
  const reactors = useReactors(chat, message, emoji, count);
  const { items, next, complete, problem, more, loading, loadMore, retry } = reactors;
  if (loading) return <Spinner label="Loading names" />;
  if (problem !== null)
    return (
      <div role="alert">
        <p>The names could not be loaded. {problem}</p>
        <Button onClick={retry}>Try again</Button>
      </div>
    );
  return (
    <div>
      <PeopleList label={`With ${emoji}`} people={items} isWhole={next === null} />
      {next !== null && <LoadMore status={more} onMore={loadMore} />}
      {!complete && (
        <p className={styles.soft} role="status">
          Some may be missing just now.
        </p>
      )}
    </div>
  );
}
