// What is said later of a message that stands in a conversation: it is edited, deleted, reacted to or pinned.
// The server's fold has decided that it counts (crates/timeline); here it is only carried out. A message is
// what the server told of it, with all changes up to `changed`, and what was told live beyond that,
// in whatever order it came: so live frames, resumes and pages make the same of it in any order, each change
// once. Deletion wins over everything, and nothing of the words stays in memory.
import type { Position, UserId } from '@/lib/http/types';

export type Change = { at: Position; target: Position; by: UserId } & (
  | { kind: 'edited'; body: string; mentions?: readonly UserId[] }
  | { kind: 'deleted'; reason?: string }
  | { kind: 'reacted'; emoji: string; on: boolean }
  | { kind: 'pinned'; on: boolean }
);

type Deletes = Extract<Change, { kind: 'deleted' }>;

export interface Reaction {
  emoji: string;
  count: number;
  /** One's own is among them. */
  mine: boolean;
  /** The first of them, in the order in which they came. */
  users: readonly UserId[];
}

/** What changes can do to a message. */
export interface Changeable {
  position: Position;
  body?: string;
  mentions?: readonly UserId[];
  /** Where it was edited last. */
  edited?: Position;
  /** It is deleted, for ever. */
  deleted?: Deletion;
  /** Where it was pinned, as long as it is. */
  pinned?: Position;
  reactions?: readonly Reaction[];
  /** All changes up to here are in it, as the server told it; as it was written when this is absent. */
  changed?: Position;
  /** Beyond that: what it is made of. */
  live?: Live;
}

export interface Deletion {
  position: Position;
  by: UserId;
  reason?: string;
}

interface Live {
  told: Changeable;
  /** Ascending by `at`; of words and pins the last one. */
  changes: readonly Change[];
  me: UserId;
}

/** So many names are kept of a reaction. */
export const NAMED_MAX = 5;
/** Beyond this the older half becomes a part of what was told: it comes in order but for a resume. */
const LIVE_MAX = 1_000;

/** The same object when there is nothing new in it. */
export function changed<T extends Changeable>(message: T, changes: readonly Change[], me: UserId): T {
  if (message.deleted) return message;
  const told = (message.live?.told ?? message) as T;
  const known = message.live?.changes ?? [];
  const here = new Set(known.map(({ at }) => at));
  const fresh = changes.filter(({ at }) => {
    const isNew = at > upTo(told) && !here.has(at);
    here.add(at);
    return isNew;
  });
  const deletion = fresh.find((change) => change.kind === 'deleted');
  if (deletion) return emptied(told, deletion);
  const all = withoutOutdated([...known, ...fresh].sort((a, b) => a.at - b.at));
  if (fresh.length === 0 || (all.length === known.length && all.every((change, i) => change === known[i])))
    return message;
  return all.length > LIVE_MAX ? compacted(told, all, me) : made(told, all, me);
}

/** The newer one of two tellings, with what is known beyond it. */
export function newest<T extends Changeable>(told: T, known: T): T {
  // The same message in the log a second time: the first one counts.
  if (known.deleted || told.position !== known.position) return known;
  if (told.deleted) return told;
  if (upTo(told) <= upTo(known)) return known;
  return known.live ? changed(told, known.live.changes, known.live.me) : told;
}

const upTo = ({ changed: to, position }: Changeable) => to ?? position;

/** Ascending by position, changed where they are meant. Those of messages that are not here do nothing. */
export function withChanges<T extends Changeable>(
  messages: T[],
  changes: readonly Change[],
  me: UserId,
): T[] {
  let next = messages;
  for (const [target, own] of byTarget(changes)) {
    const index = indexOf(next, target);
    const message = next[index];
    if (message?.position !== target) continue;
    const now = changed(message, own, me);
    if (now === message) continue;
    if (next === messages) next = [...messages];
    next[index] = now;
  }
  return next;
}

function byTarget(changes: readonly Change[]): Map<Position, Change[]> {
  const targets = new Map<Position, Change[]>();
  for (const change of changes) {
    const known = targets.get(change.target);
    if (known) known.push(change);
    else targets.set(change.target, [change]);
  }
  return targets;
}

function emptied<T extends Changeable>(message: T, { at, by, reason }: Deletes): T {
  const next: T = { ...message };
  for (const gone of ['mentions', 'everyone', 'reply_to', 'edited', 'pinned', 'reactions', 'live'])
    Reflect.deleteProperty(next, gone);
  const why = reason === undefined ? {} : { reason };
  return { ...next, body: '', deleted: { position: at, by, ...why } };
}

/** Only the last words count, and whether it is pinned last. */
function withoutOutdated(changes: readonly Change[]): Change[] {
  const last = (kind: Change['kind']) => changes.findLast((change) => change.kind === kind);
  const kept = [last('edited'), last('pinned')];
  return changes.filter((change) => change.kind === 'reacted' || kept.includes(change));
}

function made<T extends Changeable>(told: T, changes: readonly Change[], me: UserId): T {
  const next: T = { ...told, live: { told, changes, me } };
  for (const change of changes) {
    if (change.kind === 'edited') {
      next.body = change.body;
      next.mentions = change.mentions ?? [];
      next.edited = change.at;
    } else if (change.kind === 'pinned') {
      if (change.on) next.pinned = change.at;
      else delete next.pinned;
    } else if (change.kind === 'reacted') next.reactions = reacted(next.reactions ?? [], change, me);
  }
  if (next.reactions) next.reactions = next.reactions.filter(({ count }) => count > 0);
  return next;
}

function compacted<T extends Changeable>(told: T, changes: readonly Change[], me: UserId): T {
  const half = changes.slice(0, changes.length >> 1);
  const { live: _, ...older } = made(told, half, me);
  return made({ ...(older as T), changed: half.at(-1)?.at ?? 0 }, changes.slice(half.length), me);
}

/** The fold lets a reaction count only where it changes something: each one is one more, or one less. */
function reacted(
  reactions: readonly Reaction[],
  { emoji, by, on }: Extract<Change, { kind: 'reacted' }>,
  me: UserId,
): Reaction[] {
  const known = reactions.find((reaction) => reaction.emoji === emoji);
  const { count, mine, users } = known ?? { count: 0, mine: false, users: [] };
  const others = users.filter((user) => user !== by);
  const now = {
    emoji,
    count: Math.max(0, count + (on ? 1 : -1)),
    mine: by === me ? on : mine,
    users: on ? [...others, by].slice(0, NAMED_MAX) : others,
  };
  return known ? reactions.map((one) => (one === known ? now : one)) : [...reactions, now];
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
