// What can be done with a message, shown while the pointer or the focus is on it.
import { useState } from 'react';

import { IconButton } from '@/components/ui/button';

import { copyText } from './copy-text';
import styles from './message-row.module.css';

interface MessageActionsProps {
  body: string;
  /** The address of this page at this message; null while it is unsent. */
  path: string | null;
}

export function MessageActions({ body, path }: MessageActionsProps) {
  const [copied, setCopied] = useState<'text' | 'link' | null>(null);
  const copy = (what: 'text' | 'link', text: string) =>
    void copyText(text).then((done) => setCopied(done ? what : null));
  return (
    <div className={styles.actions} onPointerLeave={() => setCopied(null)}>
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
        {copied === 'text' ? 'Text copied' : copied === 'link' ? 'Link copied' : ''}
      </span>
    </div>
  );
}
