// The last ids that this page saw live. A resumed connection may bring a message again: it must not count as
// unread twice.

const CAPACITY = 4_096;

export class RecentIds {
  readonly #ids = new Set<string>();

  /** True the first time. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > CAPACITY) {
      const oldest = this.#ids.values().next();
      if (!oldest.done) this.#ids.delete(oldest.value);
    }
    return true;
  }
}
