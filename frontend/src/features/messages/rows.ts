// Turns messages, events and unsent messages into the rows of the list: which begin a day, the unread part,
// or a run of one sender, and which tell of several events at once.
import { foldsAway } from '@/lib/chat/event-text';
import { textOf, UNKNOWN_TEXT } from '@/lib/chat/message-text';
import type { Message, Position, TimelineEvent } from '@/lib/http/types';
import type { OutboxItem } from '@/lib/outbox/outbox-item';
import { dayOf } from '@/lib/time/format';

export interface Row {
  /** The same before and after the server accepted it, so that the element on the page stays the same. */
  key: string;
  sender: string;
  body: string;
  /** Nobody's words, but something that is told of quietly. */
  quiet: boolean;
  /** What happened in the room, where that is what the row tells of; the names in it are not here. */
  events: readonly TimelineEvent[];
  sentAtMs: number;
  /** Null while it is unsent. */
  position: Position | null;
  unsent: OutboxItem | null;
  /** What the server has of it; null while it is unsent. */
  message: Message | null;
  startsDay: boolean;
  startsUnread: boolean;
  startsRun: boolean;
  endsRun: boolean;
}

/** Messages of one sender within this time are one run. */
const RUN_MS = 5 * 60_000;

/**
 * `unreadAfter`: the line stands before the first message of somebody else beyond this position, when that is
 * in the window: `fromStart` says whether the window begins where the conversation does. A row that stays as
 * it was stays the same object.
 */
export function rowsOf(
  messages: readonly Message[],
  unsent: readonly OutboxItem[],
  me: string,
  unreadAfter: Position | null,
  fromStart: boolean,
): Row[] {
  const contents = folded(messages);
  // After a reload history can have a message whose repeat is still under way: it is there, and shown once.
  const known = new Set(unsent.length === 0 ? [] : contents.map(({ key }) => key));
  for (const item of unsent) if (!known.has(item.client_id)) contents.push(contentOf(item));
  const lineInWindow = unreadAfter !== null && (fromStart || (messages[0]?.position ?? 0) <= unreadAfter);
  const line = lineInWindow
    ? contents.findIndex(
        ({ sender, position, events }) =>
          sender !== me && events.length === 0 && (position ?? 0) > unreadAfter,
      )
    : -1;
  const starts = contents.map((content, index) => startOf(contents[index - 1], content, index === line));
  return contents.map((content, index) => {
    const endsRun = starts[index + 1]?.startsRun ?? true;
    return sameOrNew(content, { ...(starts[index] ?? NOTHING_STARTS), endsRun });
  });
}

type Flags = Pick<Row, 'startsDay' | 'startsUnread' | 'startsRun' | 'endsRun'>;
type Content = Omit<Row, keyof Flags> & { day: number };

const NO_EVENTS: readonly TimelineEvent[] = [];
const NOTHING_STARTS = { startsDay: false, startsUnread: false, startsRun: false };
/** Reading times is slow, and a window is up to 2,000 messages at each change of one of them. */
const contents = new WeakMap<Message | OutboxItem, Content>();
const rows = new WeakMap<Content, Row>();

function contentOf(of: Message | OutboxItem): Content {
  const known = contents.get(of);
  if (known) return known;
  const sentAtMs = 'sent_at' in of ? Date.parse(of.sent_at) : of.created_at;
  const content =
    'sent_at' in of
      ? { key: of.client_id ?? of.id, sender: of.sender, position: of.position, unsent: null, message: of }
      : { key: of.client_id, sender: of.owner, position: null, unsent: of, message: null };
  const text = 'sent_at' in of ? textOf(of) : of.body;
  const events = 'sent_at' in of && of.event ? [of.event] : NO_EVENTS;
  const body = text ?? (events.length > 0 ? '' : UNKNOWN_TEXT);
  const made = { ...content, body, quiet: text === null, events, sentAtMs, day: dayOf(sentAtMs) };
  contents.set(of, made);
  return made;
}

/** Who comes and goes between two messages of a day is told in one row, which stands for the last of them. */
function folded(messages: readonly Message[]): Content[] {
  const made: Content[] = [];
  for (const message of messages) {
    const content = contentOf(message);
    const before = made.at(-1);
    if (before?.day === content.day && foldTogether(before.events, content.events))
      made[made.length - 1] = joined(before, content);
    else made.push(content);
  }
  return made;
}

const foldTogether = (before: readonly TimelineEvent[], events: readonly TimelineEvent[]) =>
  before.length > 0 && events.length > 0 && before.every(foldsAway) && events.every(foldsAway);

/** Kept by its last part: what stays as it was stays the same object. */
const joints = new WeakMap<Content, { before: Content; made: Content }>();

function joined(before: Content, content: Content): Content {
  const known = joints.get(content);
  if (known?.before === before) return known.made;
  const { key, sender, sentAtMs } = before;
  const made = { ...content, key, sender, sentAtMs, events: [...before.events, ...content.events] };
  joints.set(content, { before, made });
  return made;
}

function startOf(before: Content | undefined, content: Content, startsUnread: boolean) {
  const { day, quiet, sender, sentAtMs } = content;
  const startsDay = before?.day !== day;
  const startsRun =
    startsDay ||
    startsUnread ||
    before.sender !== sender ||
    before.quiet !== quiet ||
    sentAtMs - before.sentAtMs > RUN_MS;
  return { startsDay, startsUnread, startsRun };
}

function sameOrNew(content: Content, flags: Flags): Row {
  const known = rows.get(content);
  if (
    known?.startsDay === flags.startsDay &&
    known.startsUnread === flags.startsUnread &&
    known.startsRun === flags.startsRun &&
    known.endsRun === flags.endsRun
  )
    return known;
  const { day: _, ...row } = content;
  const made = { ...row, ...flags };
  rows.set(content, made);
  return made;
}

/**
 * How the rows changed at their start: `shifted` when rows were put before or taken from there while others
 * stayed, so that the list keeps its place; `replaced` when nothing of the old is left.
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
