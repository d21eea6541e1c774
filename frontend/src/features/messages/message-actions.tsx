// What can be done with a message: a bar beside it while the pointer or the focus is on it; where there is no
// room for one, a button that opens a sheet, as does a finger that rests on the message.
import { useState } from 'react';

import { Button, IconButton } from '@/components/ui/button';
import { Dialog } from '@/components/ui/dialog';
import { Icon } from '@/components/ui/icon';

import { copyText } from '@/lib/clipboard/copy-text';
import styles from './message-actions.module.css';

const NOT_COPIED = 'Not copied: the browser refused.';

interface MessageActionsProps {
  body: string;
  /** The address of this page at this message; null while it is unsent. */
  path: string | null;
}

export function MessageActions({ body, path, onMore }: MessageActionsProps & { onMore: () => void }) {
  const { copied, copy, forget } = useCopy();
  return (
    <div className={styles.actions} onPointerLeave={forget}>
      <div className={styles.bar}>
        <IconButton
          icon={copied === 'text' ? 'tick' : 'copy'}
          label={copied === 'text' ? 'Text copied' : 'Copy text'}
          onClick={() => copy('text', body)}
        />
        {path !== null && (
          <IconButton
            icon={copied === 'link' ? 'tick' : 'link'}
            label={copied === 'link' ? 'Link copied' : 'Copy link'}
            onClick={() => copy('link', window.location.origin + path)}
          />
        )}
        <span className="visually-hidden" role="status">
          {copied === 'failed' ? NOT_COPIED : ''}
          {copied === 'text' ? 'Text copied' : copied === 'link' ? 'Link copied' : ''}
        </span>
      </div>
      <IconButton
        icon="more"
        label="Actions"
        aria-haspopup="dialog"
        className={styles.more}
        onClick={onMore}
      />
    </div>
  );
}

export function MessageSheet({ body, path, onClose }: MessageActionsProps & { onClose: () => void }) {
  const [failed, setFailed] = useState(false);
  const take = (text: string) =>
    void copyText(text).then((done) => {
      setFailed(!done);
      if (done) onClose();
    });
  return (
    <Dialog title="Message" onClose={onClose}>
      <div className={styles.sheet}>
        <Button onClick={() => take(body)}>
          <Icon name="copy" /> Copy text
        </Button>
        {path !== null && (
          <Button onClick={() => take(window.location.origin + path)}>
            <Icon name="link" /> Copy link
          </Button>
        )}
        {failed && <p role="alert">{NOT_COPIED}</p>}
      </div>
    </Dialog>
  );
}

function useCopy() {
  const [copied, setCopied] = useState<'text' | 'link' | 'failed' | null>(null);
  return {
    copied,
    copy: (what: 'text' | 'link', text: string) =>
      void copyText(text).then((done) => setCopied(done ? what : 'failed')),
    forget: () => setCopied(null),
  };
}
