// Tells the server how far conversations were read, or have come to this device: at once, then not for each
// message, and again when there is a connection.
import type { ConversationId, Position } from '@/lib/http/types';

const EVERY_MS = 300;

export class PositionReports {
  /** Of the last moment, or because there is no connection. */
  readonly #unsent = new Map<ConversationId, Position>();
  /** False when there is no connection. */
  readonly #report: (conversation: ConversationId, position: Position) => boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(report: (conversation: ConversationId, position: Position) => boolean) {
    this.#report = report;
  }

  add(conversation: ConversationId, position: Position): void {
    this.#unsent.set(conversation, position);
    // The first at once: the page may be gone in a moment.
    if (this.#timer === undefined) this.send();
  }

  readonly send = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let sent = false;
    for (const [conversation, position] of this.#unsent)
      if (this.#report(conversation, position)) {
        this.#unsent.delete(conversation);
        sent = true;
      }
    if (sent) this.#timer = setTimeout(this.send, EVERY_MS);
  };

  /** Sends what is left. */
  dispose(): void {
    this.send();
    clearTimeout(this.#timer);
  }
}
