// A WebSocket that the test is the other end of.
import type { ClientFrame, ServerFrame, Welcome } from '@/lib/socket/frames';
import type { SocketLike } from '@/lib/socket/socket-client';

export class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: ClientFrame[] = [];
  closedWith: number | undefined;
  closed = false;

  send(data: string): void {
    this.sent.push(JSON.parse(data) as ClientFrame);
  }

  close(code?: number): void {
    this.closed = true;
    this.closedWith = code;
  }

  open(): void {
    this.onopen?.();
  }

  receive(frame: ServerFrame | object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  receiveText(data: unknown): void {
    this.onmessage?.({ data });
  }

  end(code = 1006): void {
    this.onclose?.({ code });
  }

  sentOf<T extends ClientFrame['type']>(type: T): Extract<ClientFrame, { type: T }>[] {
    return this.sent.filter((frame): frame is Extract<ClientFrame, { type: T }> => frame.type === type);
  }
}

/** Hands out fake sockets and remembers them: `all.at(-1)` is the present one. */
export function fakeSockets() {
  const all: FakeSocket[] = [];
  const create = () => {
    const socket = new FakeSocket();
    all.push(socket);
    return socket;
  };
  const current = () => {
    const socket = all.at(-1);
    if (!socket) throw new Error('no socket was made');
    return socket;
  };
  return { all, create, current };
}

export function welcome(change: Partial<Welcome> = {}): Welcome {
  return {
    type: 'welcome',
    user: { id: 'me', username: 'me', display_name: 'Me' },
    cursor: 'start',
    resumed: false,
    heartbeat_ms: 25_000,
    limits: { body_max_chars: 8000, client_id_max_chars: 64, frame_max_bytes: 131_072, max_in_flight: 64 },
    ...change,
  };
}
