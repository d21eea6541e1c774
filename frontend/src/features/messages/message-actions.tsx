// What can be done with a message: a bar beside it while the pointer or the focus is on it, with what is done
// most; the rest is in a sheet, as is everything where there is no room for a bar, or a finger rests on the
// message.
import { useState } from 'react';

import { IconButton } from '@/components/ui/button';
import { useChat } from '@/lib/chat/chat-context';
import { copyText } from '@/lib/clipboard/copy-text';

import { useDeeds, useRights } from './deeds';
import styles from './message-actions.module.css';
import type { Layer } from './message-layers';
import { rowText } from './row-text';
import type { Row } from './rows';

interface MessageActionsProps {
  row: Row;
  /** The address of this page at this message; null while it is unsent. */
  path: string | null;
  onLayer: (layer: Layer) => void;
}

export function MessageActions({ row, path, onLayer }: MessageActionsProps) {
  const rights = useRights(row.message);
  const { reply } = useDeeds();
  const { message } = row;
  if (message?.deleted) return null;
  const offers = rights?.react === true || rights?.reply === true;
  return (
    <div className={styles.actions}>
      <div className={styles.bar}>
        {rights?.react && (
          <IconButton
            icon="smile"
            label="React"
            aria-haspopup="menu"
            data-opens-reactions
            onClick={({ currentTarget }) =>
              onLayer({ kind: 'react', at: currentTarget.getBoundingClientRect() })
            }
          />
        )}
        {message && rights?.reply && <IconButton icon="reply" label="Reply" onClick={() => reply(message)} />}
        {offers ? (
          <IconButton
            icon="more"
            label="More actions"
            aria-haspopup="dialog"
            onClick={() => onLayer({ kind: 'sheet' })}
          />
        ) : (
          <CopyButtons row={row} path={path} />
        )}
      </div>
      <IconButton
        icon="more"
        label="Actions"
        aria-haspopup="dialog"
        className={styles.more}
        onClick={() => onLayer({ kind: 'sheet' })}
      />
    </div>
  );
}

function CopyButtons({ row, path }: Pick<MessageActionsProps, 'row' | 'path'>) {
  const chat = useChat();
  const [copied, setCopied] = useState<'text' | 'link' | 'failed' | null>(null);
  const copy = (what: 'text' | 'link', text: string) =>
    void copyText(text).then((done) => setCopied(done ? what : 'failed'));
  return (
    <span className={styles.copies} onPointerLeave={() => setCopied(null)}>
      <IconButton
        icon={copied === 'text' ? 'tick' : 'copy'}
        label={copied === 'text' ? 'Text copied' : 'Copy text'}
        onClick={() => copy('text', rowText(row, chat.store.getState()))}
      />
      {path !== null && (
        <IconButton
          icon={copied === 'link' ? 'tick' : 'link'}
          label={copied === 'link' ? 'Link copied' : 'Copy link'}
          onClick={() => copy('link', window.location.origin + path)}
        />
      )}
      <span className="visually-hidden" role="status">
        {copied === 'failed' ? 'Not copied: the browser refused.' : ''}
        {copied === 'text' ? 'Text copied' : copied === 'link' ? 'Link copied' : ''}
      </span>
    </span>
  );
}
