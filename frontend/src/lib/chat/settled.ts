// Tells of what one did with a message: that it has come true, or was refused for good. For whoever says it
// to screen readers.
import type { OutboxItem } from '@/lib/outbox/outbox-item';

type Listener = (item: OutboxItem, how: 'done' | 'refused') => void;

export class Settled {
  readonly #listeners = new Set<Listener>();

  /** Gives back what ends it. */
  readonly listen = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  tell(item: OutboxItem, how: 'done' | 'refused'): void {
    for (const listener of this.#listeners) listener(item, how);
  }
}
