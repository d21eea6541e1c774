// Where the line "New messages" stands: fixed when the conversation is opened, and again when messages come
// while nobody looks at the page; gone when one answers.
import { useState } from 'react';

import type { Position } from '@/lib/http/types';
import type { ConversationEntry } from '@/lib/store/conversation-entry';

interface Line {
  after: Position | null;
  /** `unread` when this was last decided; null before the conversation is known. */
  unread: number | null;
}

export function useUnreadLine(entry: ConversationEntry | undefined): {
  after: Position | null;
  clear: () => void;
} {
  const [line, setLine] = useState<Line>({ after: null, unread: null });
  if (entry && entry.unread !== line.unread) {
    const opened = line.unread === null;
    const begins = entry.unread > 0 && (opened || (line.unread === 0 && !looking()));
    setLine({ after: begins ? entry.last_read : line.after, unread: entry.unread });
  }
  return { after: line.after, clear: () => setLine((now) => ({ ...now, after: null })) };
}

function looking(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus();
}
