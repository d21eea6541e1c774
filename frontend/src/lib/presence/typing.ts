// Who else writes, by conversation. Pure: the time is handed in. Writing is over after six seconds without
// another word of it, and with a message.
import type { ConversationId, UserId } from '@/lib/http/types';

const LASTS_MS = 6_000;

/** In the order in which they began; without conversations in which nobody writes. */
export type Writers = Readonly<Record<ConversationId, readonly UserId[]>>;

export class Typing {
  readonly #untilMs = new Map<ConversationId, Map<UserId, number>>();

  told(conversation: ConversationId, user: UserId, on: boolean, nowMs: number): void {
    if (!on) return this.ended(conversation, user);
    const writers = this.#untilMs.get(conversation) ?? new Map<UserId, number>();
    this.#untilMs.set(conversation, writers.set(user, nowMs + LASTS_MS));
  }

  /** They said so, or a message of theirs is here. */
  ended(conversation: ConversationId, user: UserId): void {
    const writers = this.#untilMs.get(conversation);
    writers?.delete(user);
    if (writers?.size === 0) this.#untilMs.delete(conversation);
  }

  clear(): void {
    this.#untilMs.clear();
  }

  deadlineMs(): number {
    return Math.min(Infinity, ...[...this.#untilMs.values()].flatMap((writers) => [...writers.values()]));
  }

  writers(nowMs: number): Writers {
    for (const [conversation, writers] of this.#untilMs)
      for (const [user, untilMs] of writers) if (nowMs >= untilMs) this.ended(conversation, user);
    return Object.fromEntries(
      [...this.#untilMs].map(([conversation, writers]) => [conversation, [...writers.keys()]]),
    );
  }
}

const NAMED_MAX = 3;

/** What stands below the messages; empty when nobody writes. */
export function typingText(names: readonly string[]): string {
  if (names.length > NAMED_MAX) return 'Several people are writing';
  const [last, ...others] = [...names].reverse();
  if (last === undefined) return '';
  return others.length === 0
    ? `${last} is writing`
    : `${others.reverse().join(', ')} and ${last} are writing`;
}

/** Not again before so much quiet: whoever listens is not told of every pause. */
const QUIET_MS = 30_000;

/** What screen readers say of it: that somebody began, and nothing of how it goes on. */
export class SpokenTyping {
  #said = '';
  #isWriting = false;
  #endedAtMs = -Infinity;

  /** `text` is what is shown now. */
  of(text: string, nowMs: number): string {
    const isWriting = text !== '';
    if (isWriting && !this.#isWriting && nowMs >= this.#endedAtMs + QUIET_MS) this.#said = text;
    if (!isWriting) this.#said = '';
    if (!isWriting && this.#isWriting) this.#endedAtMs = nowMs;
    this.#isWriting = isWriting;
    return this.#said;
  }
}
