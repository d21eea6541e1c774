// Who is here and who writes, as the server plays it: what the page says of it, and what it is told.
import type { Availability, PresenceSettings } from '../../src/lib/http/types';
import type { ClientFrame, PresenceFrame, ServerFrame } from '../../src/lib/socket/frames';

import type { Thread } from './fake-backend';

type Said = Extract<ClientFrame, { type: 'watch' | 'idle' | 'typing' }>;
type Seen = PresenceFrame['users'][number];

export class PresencePlay {
  /** All that the page said. */
  frames: Said[] = [];
  settings: PresenceSettings = { audience: 'shared', hidden: false };
  readonly #seen = new Map<string, Seen>();
  readonly #emit: (frame: ServerFrame) => void;

  constructor(emit: (frame: ServerFrame) => void) {
    this.#emit = emit;
  }

  /** Somebody is here from now on, or not. */
  set({ id }: { id: string }, state: Availability, lastSeen?: Date): void {
    const seen = { user: id, state, ...(lastSeen ? { last_seen: lastSeen.toISOString() } : {}) };
    this.#seen.set(id, seen);
    if (this.watched?.users.includes(id)) this.#emit({ type: 'presence', users: [seen] });
  }

  /** Somebody writes there, or not any more. */
  type({ conversation }: Thread, { id: user }: { id: string }, on = true): void {
    this.#emit({ type: 'typing', conversation: conversation.id, user, on });
  }

  get watched() {
    return this.of('watch').at(-1);
  }

  of<T extends Said['type']>(type: T): Extract<Said, { type: T }>[] {
    return this.frames.filter((frame): frame is Extract<Said, { type: T }> => frame.type === type);
  }

  said(frame: Said, answer: (frame: ServerFrame) => void): void {
    this.frames.push(frame);
    if (frame.type !== 'watch' || frame.users.length === 0) return;
    const nobody = (user: string): Seen => ({ user, state: 'offline' });
    answer({ type: 'presence', users: frame.users.map((user) => this.#seen.get(user) ?? nobody(user)) });
  }

  settle(change: Partial<PresenceSettings>): PresenceSettings {
    return (this.settings = { ...this.settings, ...change });
  }
}
