// Asks the worker for the colours of code: one block at a time, the latest first (it is the one that is
// looked at), each within a deadline. What took longer stays without colours and is not tried again; what was
// coloured is kept for when it scrolls back.
import type { CodePart } from './highlight';

const DEADLINE_MS = 2_000;
const KEPT = 100;

export type Colours = CodePart[] | null;

/** What is used of a `Worker`. */
export interface Colourist {
  postMessage(block: { code: string; language: string }): void;
  terminate(): void;
  onmessage: ((event: MessageEvent<Colours>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
}

interface Job {
  code: string;
  language: string;
  signal: AbortSignal;
  done: (colours: Colours) => void;
}

export class ColourQueue {
  readonly #make: () => Colourist;
  readonly #kept = new Map<string, Colours>();
  #worker: Colourist | null = null;
  #waiting: Job[] = [];
  #busy = false;

  constructor(make: () => Colourist) {
    this.#make = make;
  }

  /** Null without colours; never, when `signal` is aborted before. */
  colours(code: string, language: string, signal: AbortSignal): Promise<Colours> {
    const kept = this.#kept.get(keyOf({ code, language }));
    if (kept !== undefined) return Promise.resolve(kept);
    return new Promise((done) => {
      this.#waiting.push({ code, language, signal, done });
      this.#next();
    });
  }

  #next(): void {
    if (this.#busy) return;
    this.#waiting = this.#waiting.filter(({ signal }) => !signal.aborted);
    const job = this.#waiting.pop();
    if (!job) return;
    const kept = this.#kept.get(keyOf(job));
    if (kept !== undefined) {
      job.done(kept);
      this.#next();
      return;
    }
    this.#busy = true;
    const worker = (this.#worker ??= this.#make());
    const answer = (colours: Colours) => {
      clearTimeout(timer);
      worker.onmessage = worker.onerror = null;
      this.#busy = false;
      this.#keep(keyOf(job), colours);
      job.done(colours);
      this.#next();
    };
    const giveUp = () => {
      worker.terminate();
      this.#worker = null;
      answer(null);
    };
    const timer = setTimeout(giveUp, DEADLINE_MS);
    worker.onmessage = ({ data }) => answer(data);
    worker.onerror = giveUp;
    worker.postMessage({ code: job.code, language: job.language });
  }

  #keep(key: string, colours: Colours): void {
    this.#kept.set(key, colours);
    const oldest = this.#kept.size > KEPT ? this.#kept.keys().next() : null;
    if (oldest?.done === false) this.#kept.delete(oldest.value);
  }
}

const keyOf = ({ code, language }: { code: string; language: string }) => `${language}\n${code}`;

export const colourQueue = new ColourQueue(
  () => new Worker(new URL('./highlight-worker.ts', import.meta.url), { type: 'module' }),
);
