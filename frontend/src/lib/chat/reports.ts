// Tells the server how far this person has read, and what came to this device of what others wrote to them
// alone: whoever wrote it sees two ticks then. What was read needs no such word: that it was is told.
import type { StoreApi } from 'zustand/vanilla';

import type { ConversationId, Position } from '@/lib/http/types';
import type { ClientFrame } from '@/lib/socket/frames';
import type { ChatState } from '@/lib/store/chat-state';

import { PositionReports } from './position-reports';

export class Reports {
  readonly #read: PositionReports;
  readonly #received: PositionReports;
  readonly #stop: () => void;

  /** `send`: false when there is no connection. */
  constructor(store: StoreApi<ChatState>, send: (frame: ClientFrame) => boolean) {
    const reports = (type: 'read' | 'received') =>
      new PositionReports((conversation, position) => send({ type, conversation, position }));
    this.#read = reports('read');
    this.#received = reports('received');
    this.#stop = store.subscribe((now, before) => {
      for (const [id, position] of cameTo(now, before)) this.#received.add(id, position);
    });
  }

  read(conversation: ConversationId, position: Position): void {
    this.#read.add(conversation, position);
  }

  /** What waits: for a moment, or for a connection. */
  send(): void {
    this.#read.send();
    this.#received.send();
  }

  /** Sends what is left. */
  dispose(): void {
    this.#stop();
    this.#read.dispose();
    this.#received.dispose();
  }
}

export function cameTo(now: ChatState, before: ChatState): [ConversationId, Position][] {
  const came: [ConversationId, Position][] = [];
  if (now.conversations === before.conversations) return came;
  for (const entry of Object.values(now.conversations)) {
    const known = before.conversations[entry.id];
    const { last_message: last } = entry;
    if (entry === known || entry.kind !== 'direct' || !last || last.sender === now.me.id) continue;
    const position = known?.last_message?.position ?? 0;
    if (last.position > Math.max(position, entry.last_read)) came.push([entry.id, last.position]);
  }
  return came;
}
