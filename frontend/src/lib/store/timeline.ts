// The window on one conversation that is in memory: always contiguous, ordered by position, each id once.
// What cannot be joined to it without a hole is not taken; `hasAfter` then says that newer messages must be
// fetched.
import type { Message, MessagePage, Position, UserId } from '@/lib/http/types';
import { newest, withChanges } from '@/lib/timeline/change';
import type { Change } from '@/lib/timeline/change';

export interface Timeline {
  /** Ascending by position. */
  messages: Message[];
  hasBefore: boolean;
  hasAfter: boolean;
  /** False: the server could not prove that nothing is missing. */
  complete: boolean;
  status: 'loading' | 'ready' | 'failed';
  older: 'idle' | 'loading' | 'failed';
  newer: 'idle' | 'loading' | 'failed';
}

/** Beyond this the far end is let go; scrolling fetches it again. */
export const TIMELINE_MAX_MESSAGES = 2_000;
/** Trimming goes this far below the bound, so that it is seldom. */
const TRIM_TO = 1_500;

export const LOADING: Timeline = {
  messages: [],
  hasBefore: false,
  hasAfter: false,
  complete: true,
  status: 'loading',
  older: 'idle',
  newer: 'idle',
};

export const firstOf = (timeline: Timeline): Message | undefined => timeline.messages[0];
export const lastOf = (timeline: Timeline): Message | undefined => timeline.messages.at(-1);

/** Whether the message at this position is in the window, if it exists at all. */
export function reaches(timeline: Timeline, position: Position): boolean {
  if (timeline.status !== 'ready') return false;
  const [first, last] = [firstOf(timeline)?.position ?? 0, lastOf(timeline)?.position ?? 0];
  return (!timeline.hasBefore || first <= position) && (!timeline.hasAfter || position <= last);
}

/** A window that starts anew from one page. `lastPosition`: the newest that is known to exist. */
export function fromPage(page: MessagePage, lastPosition: Position): Timeline {
  const newest = page.messages.at(-1)?.position ?? 0;
  return {
    ...LOADING,
    status: 'ready',
    messages: merge([], page.messages),
    hasBefore: page.has_before,
    // A message that arrived while the page was on its way was dropped: fetch on.
    hasAfter: page.has_after || lastPosition > newest,
    complete: page.complete,
  };
}

export function withOlder(timeline: Timeline, page: MessagePage): Timeline {
  const messages = merge(timeline.messages, page.messages);
  const tooMany = messages.length > TIMELINE_MAX_MESSAGES;
  return {
    ...timeline,
    messages: tooMany ? messages.slice(0, TRIM_TO) : messages,
    hasBefore: page.has_before,
    hasAfter: timeline.hasAfter || tooMany,
    complete: timeline.complete && page.complete,
    older: 'idle',
  };
}

export function withNewer(timeline: Timeline, page: MessagePage, lastPosition: Position): Timeline {
  const messages = merge(timeline.messages, page.messages);
  return trimOldest({
    ...timeline,
    messages,
    hasAfter: page.has_after || lastPosition > (messages.at(-1)?.position ?? 0),
    complete: timeline.complete && page.complete,
    newer: 'idle',
  });
}

/**
 * A page that was asked for again, because it could not be proved complete: what was missing goes in between.
 */
export function withRepeated(timeline: Timeline, page: MessagePage, lastPosition: Position): Timeline {
  // A window without messages has no place that others could be newer or older than.
  if (timeline.messages.length === 0) return fromPage(page, lastPosition);
  return { ...withLive(timeline, page.messages), complete: page.complete };
}

/** Messages that came live. Those that the window does not reach yet, or no longer, are left to history. */
export function withLive(timeline: Timeline, arrived: Message[]): Timeline {
  if (timeline.status !== 'ready') return timeline;
  const first = firstOf(timeline)?.position ?? 0;
  const last = lastOf(timeline)?.position ?? 0;
  const fitting = arrived.filter(
    ({ position }) => (position >= first || !timeline.hasBefore) && (position <= last || !timeline.hasAfter),
  );
  if (fitting.length === 0) return timeline;
  const messages = merge(timeline.messages, fitting);
  return messages === timeline.messages ? timeline : trimOldest({ ...timeline, messages });
}

/** More was missed after this position than was sent: the window ends there until it is fetched. */
export function endingAt(timeline: Timeline, after: Position): Timeline {
  if (timeline.status !== 'ready') return timeline;
  return {
    ...timeline,
    messages: timeline.messages.filter(({ position }) => position <= after),
    hasAfter: true,
  };
}

/** Messages of the window as they were told anew; what is not in it stays where it is. */
export function withTold(timeline: Timeline, told: readonly Message[]): Timeline {
  const here = new Set(timeline.messages.map(({ id }) => id));
  const messages = merge(
    timeline.messages,
    told.filter(({ id }) => here.has(id)),
  );
  return messages === timeline.messages ? timeline : { ...timeline, messages };
}

function trimOldest(timeline: Timeline): Timeline {
  if (timeline.messages.length <= TIMELINE_MAX_MESSAGES) return timeline;
  return { ...timeline, messages: timeline.messages.slice(-TRIM_TO), hasBefore: true };
}

/** What is said later of messages that stand in the window; of others, history tells it with them. */
export function withChanged(timeline: Timeline, changes: readonly Change[], me: UserId): Timeline {
  const messages = withChanges(timeline.messages, changes, me);
  return messages === timeline.messages ? timeline : { ...timeline, messages };
}

/** Ascending by position, each id once, as it was changed last. The same array when nothing is new. */
function merge(known: Message[], more: Message[]): Message[] {
  const here = new Map(known.map((message) => [message.id, message]));
  let grown = false;
  let newer = false;
  for (const message of more) {
    const before = here.get(message.id);
    const now = before ? newest(message, before) : message;
    if (now === before) continue;
    here.set(message.id, now);
    if (before) newer = true;
    else grown = true;
  }
  if (!grown) return newer ? [...here.values()] : known;
  return [...here.values()].sort((a, b) => a.position - b.position);
}
