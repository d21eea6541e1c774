// What a row says, as plain text: to be copied.
import type { Names } from '@/lib/chat/author-name';
import { eventText } from '@/lib/chat/event-text';

import type { Row } from './rows';

export const rowText = ({ body, events }: Row, names: Names): string =>
  events.length > 0 ? eventText(events, names) : body;
