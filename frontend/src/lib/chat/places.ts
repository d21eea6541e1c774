// Where the reader was in each conversation, while the page lives: back from the settings, or from another
// conversation, it is there again.
import type { ConversationId, Position } from '@/lib/http/types';

export interface Place {
  /** The row at the upper edge, and how far below that edge it begins. */
  key: string;
  above: number;
  /** The message that the address meant: it has been shown. */
  meant: Position | null;
}

/** More than these nobody comes back to. */
const KEPT = 50;

export class Places {
  readonly #places = new Map<ConversationId, Place>();

  of(id: ConversationId | null): Place | null {
    return id === null ? null : (this.#places.get(id) ?? null);
  }

  /** Null: at the end, where every conversation opens anyway. */
  set(id: ConversationId, place: Place | null): void {
    this.#places.delete(id);
    if (place) this.#places.set(id, place);
    const [oldest] = this.#places.keys();
    if (this.#places.size > KEPT && oldest !== undefined) this.#places.delete(oldest);
  }
}
