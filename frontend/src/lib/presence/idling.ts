// Whether somebody sits before this page, and when the server has to be told. Pure: the time is handed in.
//
// A person is away when all of their pages have said so: each speaks for itself, and none has to know of the
// others. A page that is hidden waits a moment, because the next tab of the same person is about to be shown.

export const IDLE_AFTER_MS = 300_000;
const HIDDEN_AFTER_MS = 2_000;

export class Idling {
  #touchedAtMs: number;
  /** Infinity: the page is in view. */
  #hiddenAtMs: number;
  /** As the server takes it; null without a connection. */
  #said: boolean | null = null;

  constructor(nowMs: number, hidden: boolean) {
    this.#touchedAtMs = nowMs;
    // From the start: there is nobody to wait for.
    this.#hiddenAtMs = hidden ? nowMs - HIDDEN_AFTER_MS : Infinity;
  }

  touched(nowMs: number): void {
    this.#touchedAtMs = nowMs;
  }

  hidden(nowMs: number): void {
    this.#hiddenAtMs = Math.min(this.#hiddenAtMs, nowMs);
  }

  shown(nowMs: number): void {
    this.#hiddenAtMs = Infinity;
    this.#touchedAtMs = nowMs;
  }

  /** A server takes everybody who comes for present. */
  connected(): void {
    this.#said = false;
  }

  disconnected(): void {
    this.#said = null;
  }

  deadlineMs(): number {
    if (this.#said !== false) return Infinity;
    return Math.min(this.#touchedAtMs + IDLE_AFTER_MS, this.#hiddenAtMs + HIDDEN_AFTER_MS);
  }

  /** What has to be said now, if anything. */
  due(nowMs: number): boolean | null {
    if (this.#said === null) return null;
    const isIdle = nowMs >= this.#touchedAtMs + IDLE_AFTER_MS || nowMs >= this.#hiddenAtMs + HIDDEN_AFTER_MS;
    if (isIdle === this.#said) return null;
    this.#said = isIdle;
    return isIdle;
  }
}
