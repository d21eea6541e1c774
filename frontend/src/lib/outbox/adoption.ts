// Takes over what earlier pages left unsent, one search after the other.
import type { Outbox } from './outbox';
import type { PageClaim } from './page-claim';

/** A browser whose storage hangs does not stop sending. */
const STORAGE_MS = 1_000;

export class Adoption {
  readonly #outbox: Outbox;
  readonly #page: PageClaim;
  #last: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(outbox: Outbox, page: PageClaim) {
    this.#outbox = outbox;
    this.#page = page;
  }

  look(): void {
    this.#last = this.#last.then(async () => {
      const others = await this.#page.others();
      if (!this.#ended) await this.#outbox.adopt(others);
    });
  }

  /** When all searches so far are done, or take too long. */
  async done(): Promise<void> {
    await Promise.race([this.#last, new Promise((resolve) => setTimeout(resolve, STORAGE_MS))]);
  }

  end(): void {
    this.#ended = true;
  }
}
