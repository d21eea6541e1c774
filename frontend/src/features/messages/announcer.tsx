// Says to screen readers what arrives in the open conversation: the sender and the text, without times.
// Nothing is said about messages that come from history.
import { useState } from 'react';

import { textOf } from '@/lib/chat/message-text';
import type { Message } from '@/lib/http/types';
import { plainText } from '@/lib/markup/plain-text';

interface AnnouncerProps {
  /** The newest message of the conversation. */
  newest: Message | null;
  me: string;
  /** Of the sender, told from others that look alike. */
  name: string;
}

export function Announcer({ newest, me, name }: AnnouncerProps) {
  const [first] = useState(newest?.id);
  const text = newest && newest.id !== first && newest.sender !== me ? textOf(newest) : null;
  const said = text === null ? '' : `${name}: ${plainText(text)}`;
  return (
    <div className="visually-hidden" aria-live="polite">
      {said}
    </div>
  );
}
