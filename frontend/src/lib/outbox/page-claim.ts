// Which open page sends which stored message. Each page holds a Web Lock under its own name; what belongs to
// a page whose lock is free may be taken over. Without Web Locks (plain http on another machine) every page
// takes all: the same client_id twice is harmless, only wasteful.
import { randomId } from './random-id';

const PREFIX = 'milena-page-';
/** Missing outside secure contexts, whatever the DOM types say. */
const locks = () => (navigator as { locks?: LockManager }).locks;

export interface PageClaim {
  /** This page. */
  id: string;
  /** The other pages that are still open. */
  others(): Promise<Set<string>>;
  release(): void;
}

export function claimPage(): PageClaim {
  const id = randomId();
  let release = () => undefined as unknown;
  const held = new Promise((resolve) => (release = () => resolve(undefined)));
  void locks()
    ?.request(PREFIX + id, () => held)
    .catch(() => undefined);
  return {
    id,
    async others() {
      const state = await locks()
        ?.query()
        .catch(() => undefined);
      const names = (state?.held ?? []).map((lock) => lock.name ?? '');
      return new Set(
        names.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length)),
      );
    },
    release: () => void release(),
  };
}
