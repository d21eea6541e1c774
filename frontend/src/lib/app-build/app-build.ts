// Which build of the page this is, and whether the server has a newer one by now. The service worker says so:
// browsers look for another worker when a page is opened, and this page asks them to when it has reason to
// think that the server was replaced.

/** The part of the browser's container that is needed. */
export type Workers = Pick<ServiceWorkerContainer, 'register' | 'addEventListener'>;

/** So often, whoever asks. */
const LOOK_EVERY_MS = 60_000;

export class AppBuild {
  /** The script that this page began with: no other build has it. */
  readonly #entry: string;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  #newer = false;
  #registration: Promise<ServiceWorkerRegistration | null> = Promise.resolve(null);
  #lookedAtMs: number;

  constructor(entry: string, now = () => Date.now()) {
    this.#entry = entry;
    this.#now = now;
    this.#lookedAtMs = now();
  }

  /** Once; where the browser forbids workers the page goes on without. */
  start(workers: Workers): void {
    workers.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      const entry = (data as { entry?: unknown } | null)?.entry;
      if (typeof entry === 'string' && entry !== this.#entry) this.#told();
    });
    this.#registration = workers.register('/sw.js', { updateViaCache: 'none' }).catch(() => null);
  }

  /** Ask the server whether there is another build. */
  look(): void {
    if (this.#now() - this.#lookedAtMs < LOOK_EVERY_MS) return;
    this.#lookedAtMs = this.#now();
    void this.#registration.then((registration) => registration?.update()).catch(() => undefined);
  }

  readonly isOld = (): boolean => this.#newer;

  /** Gives back what ends it. */
  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  #told(): void {
    this.#newer = true;
    for (const listener of this.#listeners) listener();
  }
}

/** The one of this page. */
export const appBuild = new AppBuild(
  document.querySelector('script[type="module"][src]')?.getAttribute('src') ?? '',
);
