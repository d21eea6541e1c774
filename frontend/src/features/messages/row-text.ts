// What a row says, as plain text: to be copied.
import type { Names } from '@/lib/chat/author-name';
import { eventText } from '@/lib/chat/event-text';
import { toNames } from '@/lib/chat/mentions';
import { DELETED_TEXT } from '@/lib/chat/message-text';

import type { Row } from './rows';

export function rowText({ body, events, message }: Row, names: Names): string {
  if (message?.deleted) return DELETED_TEXT;
  return events.length > 0 ? eventText(events, names) : toNames(body, names);
}
