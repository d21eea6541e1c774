// Says to screen readers what arrives in the open conversation: the sender and the text, without times.
// Nothing is said about messages that come from history.
import { useState } from 'react';

import type { Message } from '@/lib/http/types';
import { plainText } from '@/lib/markup/plain-text';

interface AnnouncerProps {
  /** The newest message of the conversation. */
  newest: Message | null;
  me: string;
  name: string;
}

export function Announcer({ newest, me, name }: AnnouncerProps) {
  const [first] = useState(newest?.id);
  const said =
    newest && newest.id !== first && newest.sender !== me ? `${name}: ${plainText(newest.body)}` : '';
  return (
    <div className="visually-hidden" aria-live="polite">
      {said}
    </div>
  );
}
