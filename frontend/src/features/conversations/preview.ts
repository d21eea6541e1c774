// The second line of a conversation in the list: what is unsent comes before what was said last.
import type { ConversationEntry } from '@/lib/store/conversation-entry';
import type { OutboxItem } from '@/lib/outbox/outbox-item';

import { plainText } from './plain-text';

export type Preview =
  { kind: 'draft' | 'failed' | 'sending' | 'mine' | 'theirs'; text: string } | { kind: 'empty'; text: '' };

/** More than fits the line is cut before it reaches the page. */
const MAX_CHARS = 160;

export function previewOf(
  entry: ConversationEntry,
  me: string,
  draft: string,
  unsent: readonly OutboxItem[],
): Preview {
  const failed = unsent.find((item) => item.status === 'failed');
  const last = unsent.at(-1);
  if (failed) return { kind: 'failed', text: oneLine(failed.body) };
  if (draft.trim() !== '') return { kind: 'draft', text: oneLine(draft) };
  if (last) return { kind: 'sending', text: oneLine(last.body) };
  const message = entry.last_message;
  if (!message) return { kind: 'empty', text: '' };
  return { kind: message.sender === me ? 'mine' : 'theirs', text: oneLine(message.body) };
}

const oneLine = (text: string) =>
  plainText(text.slice(0, 2 * MAX_CHARS))
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_CHARS);
