// Turns messages and unsent ones into the rows of the list: which begin a day, the unread part, or a run of one sender.
import type { Message, Position } from '@/lib/http/types';
import type { OutboxItem } from '@/lib/outbox/outbox-item';
import { dayOf } from '@/lib/time/format';

export interface Row {
  /** The same before and after the server accepted it, so that the element on the page stays the same. */
  key: string;
  sender: string;
  body: string;
  sentAtMs: number;
  /** Null while it is unsent. */
  position: Position | null;
  unsent: OutboxItem | null;
  startsDay: boolean;
  startsUnread: boolean;
  startsRun: boolean;
  endsRun: boolean;
}

/** Messages of one sender within this time are one run. */
const RUN_MS = 5 * 60_000;

/**
 * `unreadAfter`: the line stands before the first message of somebody else beyond this position, when that is in the window:
 * `fromStart` says whether the window begins where the conversation does.
 */
export function rowsOf(
  messages: readonly Message[],
  unsent: readonly OutboxItem[],
  me: string,
  unreadAfter: Position | null,
  fromStart: boolean,
): Row[] {
  const rows: Row[] = [];
  const lineInWindow = unreadAfter !== null && (fromStart || (messages[0]?.position ?? 0) <= unreadAfter);
  let unreadDone = !lineInWindow;
  for (const message of messages) {
    const startsUnread = !unreadDone && message.sender !== me && message.position > (unreadAfter ?? 0);
    unreadDone ||= startsUnread;
    const { sender, body, position, client_id } = message;
    const sentAtMs = Date.parse(message.sent_at);
    push(
      rows,
      { key: client_id ?? message.id, sender, body, sentAtMs, position, unsent: null },
      startsUnread,
    );
  }
  // After a reload history can have a message whose repeat is still under way: it is there, and shown once.
  const known = new Set(unsent.length === 0 ? [] : rows.map(({ key }) => key));
  for (const item of unsent) {
    const { client_id: key, body, created_at: sentAtMs } = item;
    if (!known.has(key)) push(rows, { key, sender: me, body, sentAtMs, position: null, unsent: item }, false);
  }
  return rows;
}

type Plain = Omit<Row, 'startsDay' | 'startsUnread' | 'startsRun' | 'endsRun'>;

function push(rows: Row[], row: Plain, startsUnread: boolean): void {
  const before = rows.at(-1);
  const startsDay = !before || dayOf(before.sentAtMs) !== dayOf(row.sentAtMs);
  const startsRun =
    startsDay || startsUnread || before.sender !== row.sender || row.sentAtMs - before.sentAtMs > RUN_MS;
  if (before && !startsRun) before.endsRun = false;
  rows.push({ ...row, startsDay, startsUnread, startsRun, endsRun: true });
}

/**
 * How the rows changed at their start: `shifted` when rows were put before or taken from there while others stayed, so that
 * the list keeps its place; `replaced` when nothing of the old is left.
 */
export function compareRows(
  before: readonly Row[],
  after: readonly Row[],
): 'same-start' | 'shifted' | 'replaced' {
  const [old, now] = [before[0], after[0]];
  if (old?.key === now?.key) return 'same-start';
  if (!old || !now) return 'replaced';
  const keys = new Set(after.map((row) => row.key));
  return before.some((row) => keys.has(row.key)) ? 'shifted' : 'replaced';
}
