// Collects what arrives within one animation frame, so that a burst costs one render. In a hidden page there
// are no animation frames: a timer takes over, and the title's count stays true.

const HIDDEN_MS = 100;
/** More than this does not wait for the frame. */
const MAX_ITEMS = 1_000;

export class FrameBatch<T> {
  #items: T[] = [];
  #cancel: (() => void) | undefined;
  readonly #onFlush: (items: T[]) => void;

  constructor(onFlush: (items: T[]) => void) {
    this.#onFlush = onFlush;
  }

  push(item: T): void {
    this.#items.push(item);
    if (this.#items.length >= MAX_ITEMS) this.flush();
    else this.schedule();
  }

  /** Asks for a flush even when nothing was pushed. */
  schedule(): void {
    if (this.#cancel) return;
    if (document.visibilityState === 'visible') {
      const id = requestAnimationFrame(() => this.flush());
      this.#cancel = () => cancelAnimationFrame(id);
    } else {
      const id = setTimeout(() => this.flush(), HIDDEN_MS);
      this.#cancel = () => clearTimeout(id);
    }
  }

  flush(): void {
    this.cancel();
    const items = this.#items;
    this.#items = [];
    this.#onFlush(items);
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
