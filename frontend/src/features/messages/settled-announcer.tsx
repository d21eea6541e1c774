// Says to screen readers that what one did with a message has come true. What was refused is an alert of its
// own.
import { useEffect, useState } from 'react';

import { useChat } from '@/lib/chat/chat-context';
import type { ConversationId } from '@/lib/http/types';
import type { Deed } from '@/lib/outbox/outbox-item';

export function SettledAnnouncer({ conversation }: { conversation: ConversationId }) {
  const chat = useChat();
  const [said, setSaid] = useState('');
  useEffect(
    () =>
      chat.changes.onSettled((item, how) => {
        if (item.conversation === conversation && how === 'done' && item.deed) setSaid(wordsFor(item.deed));
      }),
    [chat, conversation],
  );
  return (
    <div className="visually-hidden" aria-live="polite" data-testid="settled">
      {said}
    </div>
  );
}

function wordsFor(deed: Deed): string {
  switch (deed.does) {
    case 'edit':
      return 'Message edited';
    case 'delete':
      return 'Message deleted';
    case 'react':
      return deed.on ? `Reacted with ${deed.emoji}` : `Took ${deed.emoji} back`;
    case 'pin':
      return deed.on ? 'Message pinned' : 'Message unpinned';
  }
}
