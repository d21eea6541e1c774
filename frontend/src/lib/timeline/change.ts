// What is said later of a message that stands in a conversation: it is edited, deleted, reacted to or pinned.
// The server's fold has decided that it counts (crates/timeline); here it is only carried out. Each change
// knows its own position, so that one that comes again, or that the server's answer had in it already, does
// nothing, and those of a resumed connection may come in any order.
import type { Position, UserId } from '@/lib/http/types';

export type Change =
  | { kind: 'edited'; at: Position; target: Position; body: string }
  | { kind: 'deleted'; at: Position; target: Position; by: UserId }
  | { kind: 'reacted'; at: Position; target: Position; by: UserId; emoji: string; on: boolean }
  | { kind: 'pinned'; at: Position; target: Position; on: boolean };

export interface Reaction {
  emoji: string;
  /** In the order in which they came. */
  users: readonly UserId[];
}

/** What changes can do to a message. */
export interface Changeable {
  position: Position;
  body?: string;
  edited_position?: Position;
  deleted_position?: Position;
  deleted_by?: UserId;
  pinned?: boolean;
  reactions?: readonly Reaction[];
  /** All changes up to here are in it, as the server told it. */
  changed_position?: Position;
  /** The newest change of each kind that was carried out here. */
  carried?: Readonly<Record<string, Position>>;
}

/** The same object when there is nothing new in it. */
export function changed<T extends Changeable>(message: T, change: Change): T {
  const facet = facetOf(change);
  const known = Math.max(message.changed_position ?? 0, message.carried?.[facet] ?? 0);
  if (change.at <= known) return message;
  const next = { ...message, carried: { ...message.carried, [facet]: change.at } };
  switch (change.kind) {
    case 'edited':
      // Deletion wins, whichever is told first.
      return message.deleted_position === undefined
        ? { ...next, body: change.body, edited_position: change.at }
        : message;
    case 'deleted': {
      const { body: _, edited_position: __, reactions: ___, ...rest } = next;
      return { ...(rest as T), deleted_position: change.at, deleted_by: change.by };
    }
    case 'reacted':
      return message.deleted_position === undefined
        ? { ...next, reactions: reacted(message.reactions ?? [], change) }
        : message;
    case 'pinned':
      return { ...next, pinned: change.on };
  }
}

/** What two changes have to do with each other: of one facet the newest counts. */
const facetOf = (change: Change) =>
  change.kind === 'reacted' ? `reacted ${change.by} ${change.emoji}` : change.kind;

function reacted(
  reactions: readonly Reaction[],
  { emoji, by, on }: Extract<Change, { kind: 'reacted' }>,
): Reaction[] {
  const known = reactions.find((reaction) => reaction.emoji === emoji);
  const others = known?.users.filter((user) => user !== by) ?? [];
  const now = { emoji, users: on ? [...others, by] : others };
  const all = known ? reactions.map((one) => (one === known ? now : one)) : [...reactions, now];
  return all.filter(({ users }) => users.length > 0);
}

/** Whether the server tells a message with changes in it that are not in the one that is here. */
export const isNewer = (told: Changeable, known: Changeable) =>
  (told.changed_position ?? 0) > Math.max(known.changed_position ?? 0, ...Object.values(known.carried ?? {}));

/** Ascending by position, changed where they are meant. Those of messages that are not here do nothing. */
export function withChanges<T extends Changeable>(messages: T[], changes: readonly Change[]): T[] {
  let next = messages;
  for (const change of changes) {
    const index = indexOf(next, change.target);
    const message = next[index];
    if (message?.position !== change.target) continue;
    const now = changed(message, change);
    if (now === message) continue;
    if (next === messages) next = [...messages];
    next[index] = now;
  }
  return next;
}

/** Where the first one at this position or beyond it is. */
function indexOf(messages: readonly Changeable[], position: Position): number {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.position ?? 0) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
