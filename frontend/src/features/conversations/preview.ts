// The second line of a conversation in the list: what is unsent comes before what was said last.
import type { Names } from '@/lib/chat/author-name';
import { toNames } from '@/lib/chat/mentions';
import { DELETED_TEXT, textOf, UNKNOWN_TEXT } from '@/lib/chat/message-text';
import type { TimelineEvent, UserId } from '@/lib/http/types';
import type { ConversationEntry } from '@/lib/store/conversation-entry';
import { oneLine } from '@/lib/markup/plain-text';
import type { OutboxItem } from '@/lib/outbox/outbox-item';

export type Preview =
  | { kind: 'draft' | 'failed' | 'sending' | 'mine' | 'theirs'; text: string }
  | { kind: 'empty'; text: '' }
  /** Somebody's of many: whose, is not said by the row. */
  | { kind: 'author'; author: UserId; text: string }
  /** A room in which nothing was written: what happened last. */
  | { kind: 'event'; event: TimelineEvent };

/** More than fits the line is cut before it reaches the page. */
const MAX_CHARS = 160;

export function previewOf(
  entry: Pick<ConversationEntry, 'last_message'> &
    Partial<Pick<ConversationEntry, 'kind' | 'last_event' | 'last_position'>>,
  me: string,
  draft: string,
  unsent: readonly OutboxItem[],
  names: Names | null = null,
): Preview {
  const line = (body: string) => oneLine(names ? toNames(body, names) : body, MAX_CHARS);
  const failed = unsent.find((item) => item.status === 'failed');
  const last = unsent.at(-1);
  if (failed) return { kind: 'failed', text: line(failed.body) };
  if (draft.trim() !== '') return { kind: 'draft', text: line(draft) };
  if (last) return { kind: 'sending', text: line(last.body) };
  const message = entry.last_message;
  if (!message) {
    if (entry.last_event?.event) return { kind: 'event', event: entry.last_event.event };
    // The server tells no newest message where that was deleted.
    const deleted = entry.kind === 'direct' && (entry.last_position ?? 0) > 0;
    return deleted ? { kind: 'theirs', text: DELETED_TEXT } : { kind: 'empty', text: '' };
  }
  const said = textOf(message);
  if (said === null) return { kind: 'theirs', text: UNKNOWN_TEXT };
  const text = message.deleted ? DELETED_TEXT : line(said);
  if (message.sender === me) return { kind: 'mine', text };
  return entry.kind === 'room' ? { kind: 'author', author: message.sender, text } : { kind: 'theirs', text };
}
