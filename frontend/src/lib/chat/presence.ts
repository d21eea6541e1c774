// Who is here and who writes, between the socket and what the page shows; the thinking is in lib/presence.
//
// Never says more than is known: without a connection, and when the server has stopped telling, nobody is
// said to be here, and nothing of when they were.
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { Availability, ConversationId, Message, Status, UserId } from '@/lib/http/types';
import { Idling } from '@/lib/presence/idling';
import { OwnTyping } from '@/lib/presence/own-typing';
import type { OwnTypingSaid } from '@/lib/presence/own-typing';
import { Typing } from '@/lib/presence/typing';
import type { Writers } from '@/lib/presence/typing';
import { Watching } from '@/lib/presence/watching';
import type { ClientFrame, ErrorFrame, PresenceFrame, TypingFrame } from '@/lib/socket/frames';

export interface Seen {
  state: Availability;
  /** Of somebody who is offline, where one may know it. */
  lastSeenMs: number | null;
  /** What they say of themselves. */
  status: Status | null;
}

export interface PresenceState {
  /** Of whom nothing stands here nothing is known. */
  people: Readonly<Record<UserId, Seen>>;
  writers: Writers;
}

const NOBODY: PresenceState = { people: {}, writers: {} };
/** From a server that knows none of this. */
const UNKNOWN_FRAME = 'unknown_type';

interface PresenceOptions {
  me: UserId;
  /** False without a connection. */
  send: (frame: ClientFrame) => boolean;
  random?: () => number;
}

export class Presence {
  readonly store: StoreApi<PresenceState> = createStore(() => NOBODY);
  readonly #me: UserId;
  readonly #send: PresenceOptions['send'];
  readonly #random: () => number;
  readonly #watching = new Watching();
  readonly #idling = new Idling(Date.now(), document.visibilityState === 'hidden');
  readonly #ownTyping = new OwnTyping();
  readonly #typing = new Typing();
  /** Of what is due next. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAtMs = Infinity;

  constructor({ me, send, random = Math.random }: PresenceOptions) {
    this.#me = me;
    this.#send = send;
    this.#random = random;
  }

  /** Of those with whom one has come to share a conversation one may see more from then on. */
  readonly follow = (order: { length: number }, before: { length: number }): void => {
    if (order.length <= before.length) return;
    this.#watching.again(Date.now());
    this.#plan();
  };

  /** Somebody is in view, until what it gives back is called. */
  show(user: UserId): () => void {
    this.#watching.show(user, Date.now());
    this.#plan();
    return once(() => {
      this.#watching.hide(user, Date.now());
      this.#plan();
    });
  }

  /** The conversation is open, until what it gives back is called. */
  open(conversation: ConversationId): () => void {
    this.#watching.open(conversation, Date.now());
    this.#plan();
    return once(() => {
      this.#watching.close(conversation, Date.now());
      this.#say(this.#ownTyping.left(Date.now()));
      this.#plan();
    });
  }

  /** Something was typed there, or taken away. */
  typed(conversation: ConversationId, isBlank: boolean): void {
    this.#say(this.#ownTyping.typed(conversation, isBlank, Date.now()));
  }

  /** Somebody has touched the page. */
  readonly touched = (): void => {
    this.#idling.touched(Date.now());
    // Idle until now: the others hear of it at once. Otherwise the timer finds out by itself.
    if (this.#idling.deadlineMs() === Infinity) this.#tick();
  };

  readonly shown = (): void => {
    this.#idling.shown(Date.now());
    this.#watching.pause(false, Date.now());
    this.#tick();
  };

  readonly hidden = (): void => {
    this.#idling.hidden(Date.now());
    this.#watching.pause(true, Date.now());
    this.#plan();
  };

  connected(): void {
    this.#idling.connected();
    this.#watching.connected(Date.now());
    this.#watching.pause(document.visibilityState === 'hidden', Date.now());
    this.#tick();
  }

  disconnected(): void {
    this.#idling.disconnected();
    this.#watching.disconnected();
    this.#typing.clear();
    if (this.store.getState() !== NOBODY) this.store.setState(NOBODY, true);
  }

  told({ users }: PresenceFrame): void {
    this.#watching.told(users.map(({ user }) => user));
    const people = { ...this.store.getState().people };
    for (const { user, state, last_seen, status = people[user]?.status ?? null } of users)
      if (this.#watching.watches(user)) people[user] = { state, lastSeenMs: msOf(last_seen), status };
    this.store.setState({ people });
    this.#plan();
  }

  wrote({ conversation, user, on }: TypingFrame): void {
    if (user === this.#me) return;
    this.#typing.told(conversation, user, on, Date.now());
    this.#tick();
  }

  /** A message came: whoever sent it has written it. */
  spoke({ conversation, sender }: Message): void {
    if (!this.store.getState().writers[conversation]?.includes(sender)) return;
    this.#typing.ended(conversation, sender);
    this.#tick();
  }

  /** Something that was said without an answer of its own was not taken. */
  refused({ code, temporary }: ErrorFrame): void {
    if (code === UNKNOWN_FRAME) this.#watching.disconnected();
    if (temporary) this.#watching.refused(Date.now());
    this.#plan();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.disconnected();
  }

  #say(all: readonly OwnTypingSaid[]): void {
    for (const { conversation, on } of all) this.#send({ type: 'typing', conversation, on });
  }

  /** Does what is due, and waits for the next. */
  #tick(): void {
    const nowMs = Date.now();
    if (this.#watching.hasEnded(nowMs)) this.store.setState({ people: {} });
    const idle = this.#idling.due(nowMs);
    if (idle !== null) this.#send({ type: 'idle', on: idle });
    const watch = this.#watching.due(nowMs, this.#random());
    if (watch) {
      this.#send({ type: 'watch', ...watch });
      this.#forgetOthers();
    }
    const writers = this.#typing.writers(nowMs);
    if (!isSame(writers, this.store.getState().writers)) this.store.setState({ writers });
    this.#plan();
  }

  /** Of those who are no longer watched nothing is told. */
  #forgetOthers(): void {
    const { people } = this.store.getState();
    const watched = Object.entries(people).filter(([user]) => this.#watching.watches(user));
    if (watched.length < Object.keys(people).length)
      this.store.setState({ people: Object.fromEntries(watched) });
  }

  #plan(): void {
    const dueAtMs = Math.min(
      this.#watching.deadlineMs(),
      this.#idling.deadlineMs(),
      this.#typing.deadlineMs(),
    );
    if (dueAtMs === this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = dueAtMs;
    if (dueAtMs === Infinity) return;
    this.#timer = setTimeout(
      () => {
        this.#timerAtMs = Infinity;
        this.#tick();
      },
      Math.max(0, dueAtMs - Date.now()),
    );
  }
}

/** Who reads an unknown time knows none. */
function msOf(time: string | undefined): number | null {
  const ms = time === undefined ? NaN : Date.parse(time);
  return Number.isNaN(ms) ? null : ms;
}

function isSame(a: Writers, b: Writers): boolean {
  const ids = Object.keys(a);
  return (
    ids.length === Object.keys(b).length &&
    ids.every((id) => a[id]?.length === b[id]?.length && a[id]?.every((user, n) => user === b[id]?.[n]))
  );
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
