// All that names oneself, in whichever conversation, the newest first, with the way there.
import { Avatar } from '@/components/ui/avatar';
import { Blank } from '@/components/ui/blank';
import { Button } from '@/components/ui/button';
import { Envelope } from '@/components/ui/envelope';
import { LoadMore } from '@/components/ui/load-more';
import { PageFrame } from '@/components/ui/page-frame';
import { ListSkeleton } from '@/components/ui/skeleton';
import { MessageExcerpt } from '../message-excerpt';
import { useChatState } from '@/lib/chat/chat-context';
import { spokenName, useFace } from '@/lib/chat/conversation-face';
import type { Message } from '@/lib/http/types';
import { walkList } from '@/lib/keys/walk-list';

import styles from './mentions.module.css';
import { useMentions } from './use-mentions';
import type { Mentions } from './use-mentions';

export function MentionsPage() {
  const mentions = useMentions();
  return (
    <PageFrame title="Mentions" look="list">
      <Found mentions={mentions} />
    </PageFrame>
  );
}

function Found({ mentions }: { mentions: Mentions }) {
  const me = useChatState((state) => state.me);
  const { loading, problem, messages, next, more } = mentions;
  if (problem !== null)
    return (
      <Blank title="The mentions could not be loaded">
        <p>{problem}</p>
        <Button onClick={mentions.retry}>Try again</Button>
      </Blank>
    );
  if (loading) return <ListSkeleton label="Loading mentions" />;
  if (messages.length === 0 && next === null)
    return (
      <Blank title="Nobody has named you yet" art={<Envelope to={me.display_name} />}>
        <p>
          Whoever writes <strong>@{me.username}</strong> means you: it will be found here.
        </p>
      </Blank>
    );
  return (
    <>
      <p className="visually-hidden" role="status">
        {messages.length === 1
          ? 'One mention'
          : `${messages.length}${next === null ? '' : ' or more'} mentions`}
      </p>
      <ul className={styles.list} onKeyDown={walkList}>
        {messages.map((message, index) => (
          <Entry
            key={`${message.conversation} ${message.id}`}
            message={message}
            number={index + 1}
            total={next === null ? messages.length : -1}
          />
        ))}
      </ul>
      {next !== null && <LoadMore status={more} onMore={mentions.loadMore} />}
    </>
  );
}

/** A conversation that is not in memory is on its way, or nobody's any more. */
const UNKNOWN = { kind: 'room' as const, others: [], room: null };

function Entry({ message, number, total }: { message: Message; number: number; total: number }) {
  const { conversation, position } = message;
  const entry = useChatState((state) => state.conversations[conversation]);
  const face = useFace(entry ?? { id: conversation, ...UNKNOWN });
  const unread = entry !== undefined && position > entry.last_read;
  const inRoom = entry?.kind === 'room';
  return (
    <li className={styles.entry} aria-posinset={number} aria-setsize={total}>
      <Avatar {...face.avatar} size={40} />
      <div className={styles.message}>
        <MessageExcerpt
          message={message}
          where={
            <>
              {inRoom && (
                <span className={styles.where} dir="auto">
                  in {spokenName(face)}
                </span>
              )}
              {unread && <span className={styles.unread}>New</span>}
            </>
          }
        />
      </div>
    </li>
  );
}
