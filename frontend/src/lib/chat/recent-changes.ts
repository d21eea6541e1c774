// Changes that came lately, for answers that were made before them and arrive after them: without these, an
// answer could bring back the words of a message that was deleted while it was on its way.
import type { ConversationId, Message, UserId } from '@/lib/http/types';
import { changed } from '@/lib/timeline/change';
import type { Change } from '@/lib/timeline/change';

/** No answer is waited for longer (lib/http/request). */
const KEPT_MS = 30_000;
/** Of the oldest beyond this only deletions are kept, up to as many again. */
const KEPT_MAX = 10_000;

interface Recent {
  conversation: ConversationId;
  change: Change;
  atMs: number;
}

export class RecentChanges {
  /** Grows with each connection: an answer from before may lack what was not told one by one since. */
  connection = 0;
  #recent: Recent[] = [];
  readonly #me: UserId;
  readonly #now: () => number;

  constructor(me: UserId, now = () => Date.now()) {
    this.#me = me;
    this.#now = now;
  }

  add(conversation: ConversationId, change: Change): void {
    const now = this.#now();
    this.#recent.push({ conversation, change, atMs: now });
    const first = this.#recent[0];
    if (this.#recent.length <= KEPT_MAX && first && now - first.atMs < 2 * KEPT_MS) return;
    const since = this.#recent.filter(({ atMs }) => now - atMs < KEPT_MS);
    const many = since.length > KEPT_MAX;
    this.#recent = many
      ? since.filter(({ change: { kind } }, i) => kind === 'deleted' || i > since.length / 2).slice(-KEPT_MAX)
      : since;
  }

  /** Messages as an answer told them, with what was known of them already. */
  on<T extends Message | null>(message: T): T {
    if (message === null || this.#recent.length === 0) return message;
    const own = this.#recent.flatMap(({ conversation, change }) =>
      conversation === message.conversation && change.target === message.position ? [change] : [],
    );
    return own.length === 0 ? message : changed(message, own, this.#me);
  }
}
