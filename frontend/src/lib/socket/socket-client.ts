// The live connection, without any framework: a state machine that connects, says hello, tests the line, and
// connects again with the last cursor. It keeps no messages: who sends must be told again after each
// `welcome`.
//
// idle → connecting → authenticating → live → backing-off → connecting …; closed when the server said not to
// come back.
import { backoffMs, STABLE_MS } from './backoff';
import { readFrame } from './frames';
import type { ClientFrame, ServerFrame } from './frames';

export type SocketState =
  | { phase: 'idle' | 'connecting' | 'authenticating' | 'live' }
  /** `retryAt` in ms since the epoch; `opened` says whether the last try got as far as a connection. */
  | { phase: 'backing-off'; retryAt: number; attempt: number; opened: boolean }
  /** For good: `code` is 4500–4999. */
  | { phase: 'closed'; code: number };

/** The part of WebSocket that is used: the seam where tests put a fake one. */
export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(data: string): void;
  close(code?: number): void;
}

export interface SocketOptions {
  url: string;
  onFrame: (frame: ServerFrame) => void;
  onState: (state: SocketState) => void;
  createSocket?: (url: string) => SocketLike;
  random?: () => number;
}

/** From the start of a try to `welcome`. */
const WELCOME_TIMEOUT_MS = 12_000;
const PONG_TIMEOUT_MS = 8_000;
/** After the network or the page came back the line is doubtful: a shorter patience. */
const PROBE_TIMEOUT_MS = 3_000;
const NO_CLOSE_FRAME = 1006;

export class SocketClient {
  #state: SocketState = { phase: 'idle' };
  #socket: SocketLike | null = null;
  #cursor: string | undefined;
  #attempt = 0;
  #liveSince = 0;
  #heartbeatMs = 25_000;
  /** One timer at a time: until welcome, until the next ping, until its pong, or until the next try. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #awaitingPong = false;
  readonly #options: Required<SocketOptions>;

  constructor(options: SocketOptions) {
    this.#options = {
      createSocket: (url) => new WebSocket(url) as unknown as SocketLike,
      random: Math.random,
      ...options,
    };
  }

  get state(): SocketState {
    return this.#state;
  }

  get live(): boolean {
    return this.#state.phase === 'live';
  }

  connect(): void {
    if (this.#state.phase === 'idle') this.#open();
  }

  /** False when there is no live connection: the frame was not sent. */
  send(frame: ClientFrame): boolean {
    if (!this.#socket || !this.live) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Something says that the network may be back: try now, or test the connection that there is. */
  wake(): void {
    if (this.#state.phase === 'backing-off') this.#open();
    else if (this.live && !this.#awaitingPong) this.#ping(PROBE_TIMEOUT_MS);
  }

  /** Ends the connection from this side, for good. */
  close(): void {
    this.#drop(1000);
    this.#enter({ phase: 'idle' });
  }

  #open(): void {
    this.#drop();
    const socket = this.#options.createSocket(this.#options.url);
    this.#socket = socket;
    this.#enter({ phase: 'connecting' });
    socket.onopen = () => {
      this.#enter({ phase: 'authenticating' });
      const hello: ClientFrame =
        this.#cursor === undefined ? { type: 'hello' } : { type: 'hello', resume: this.#cursor };
      socket.send(JSON.stringify(hello));
    };
    socket.onmessage = ({ data }) => this.#received(readFrame(data));
    socket.onclose = ({ code }) => this.#lost(code);
    this.#after(WELCOME_TIMEOUT_MS, () => this.#lost(NO_CLOSE_FRAME));
  }

  #received(frame: ServerFrame | null): void {
    if (this.live) this.#listen();
    if (!frame) return;
    if (frame.type === 'welcome') {
      this.#heartbeatMs = frame.heartbeat_ms;
      // A resumed connection still has to send what was missed: until its first `cursor`, the old one stands.
      if (!frame.resumed) this.#cursor = frame.cursor;
      this.#liveSince = Date.now();
      this.#enter({ phase: 'live' });
      this.#listen();
    }
    // Frames before it must have been handed on before the cursor counts: they have, in this order.
    if (frame.type === 'cursor') this.#cursor = frame.cursor;
    this.#options.onFrame(frame);
  }

  /** Anything received proves the line; silence for a heartbeat is answered with a ping. */
  #listen(): void {
    this.#awaitingPong = false;
    this.#after(this.#heartbeatMs, () => this.#ping(PONG_TIMEOUT_MS));
  }

  #ping(timeoutMs: number): void {
    this.#awaitingPong = true;
    this.send({ type: 'ping' });
    // Browsers can report the end of a dead connection minutes late: do not wait for them.
    this.#after(timeoutMs, () => this.#lost(NO_CLOSE_FRAME));
  }

  #lost(code: number): void {
    const opened = this.#state.phase !== 'connecting';
    const stable = this.live && Date.now() - this.#liveSince >= STABLE_MS;
    this.#drop();
    if (code >= 4500 && code <= 4999) {
      this.#enter({ phase: 'closed', code });
      return;
    }
    if (stable) this.#attempt = 0;
    const waitMs = backoffMs(this.#attempt, code, this.#options.random());
    this.#attempt += 1;
    this.#enter({ phase: 'backing-off', retryAt: Date.now() + waitMs, attempt: this.#attempt, opened });
    this.#after(waitMs, () => this.#open());
  }

  #drop(code?: number): void {
    clearTimeout(this.#timer);
    this.#awaitingPong = false;
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code);
  }

  #after(ms: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, ms);
  }

  #enter(state: SocketState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}
