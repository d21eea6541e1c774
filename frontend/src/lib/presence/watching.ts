// Whom and which conversations this page shows, and when the server has to be told. Pure: the time is handed
// in, and what is to be said is handed back.
//
// What comes into view together is said once, and at most once a second; who went out of view stays watched
// for a while, so that scrolling to and fro says nothing. What was said lasts for five minutes at the server
// and is said again before. A page that nobody looks at says nothing: what it watches ends by itself.
import type { ConversationId, UserId } from '@/lib/http/types';

/** The server watches so many for one socket. */
export const USERS_MAX = 200;
export const CONVERSATIONS_MAX = 64;

const LASTS_MS = 300_000;
const AGAIN_AFTER_MS = 240_000;
/** So much earlier at most: the pages of a server that restarted do not all come back at once. */
const AGAIN_SPREAD_MS = 30_000;
const TOGETHER_MS = 150;
const AT_MOST_EVERY_MS = 1_000;
const LINGER_MS = 20_000;
/** After the server could not tell. */
const RETRY_AFTER_MS = 5_000;

export interface Watch {
  users: readonly UserId[];
  conversations: readonly ConversationId[];
}

const NOTHING: Watch = { users: [], conversations: [] };

/** How often something is in view at the same time; without any, since when. */
interface InView {
  times: number;
  goneAtMs: number;
}

export class Watching {
  /** Those that came into view last are last. */
  readonly #users = new Map<UserId, InView>();
  readonly #conversations = new Map<ConversationId, number>();
  #live = false;
  #paused = false;
  /** As the server was told on this connection. */
  #said = NOTHING;
  #saidAtMs = -Infinity;
  #sayAtMs = Infinity;
  #againAtMs = Infinity;
  /** Until when what was said lasts, if the server took it, and what it is known to have taken. */
  #asksUntilMs = Infinity;
  #lastsUntilMs = Infinity;

  show(user: UserId, nowMs: number): void {
    const times = this.#users.get(user)?.times ?? 0;
    this.#users.delete(user);
    this.#users.set(user, { times: times + 1, goneAtMs: 0 });
    if (!this.#said.users.includes(user)) this.#soon(nowMs, TOGETHER_MS);
  }

  hide(user: UserId, nowMs: number): void {
    const inView = this.#users.get(user);
    if (!inView) return;
    inView.times -= 1;
    if (inView.times > 0) return;
    inView.goneAtMs = nowMs;
    this.#soon(nowMs, LINGER_MS);
  }

  open(conversation: ConversationId, nowMs: number): void {
    this.#conversations.set(conversation, (this.#conversations.get(conversation) ?? 0) + 1);
    if (!this.#said.conversations.includes(conversation)) this.#soon(nowMs, TOGETHER_MS);
  }

  close(conversation: ConversationId, nowMs: number): void {
    const times = (this.#conversations.get(conversation) ?? 0) - 1;
    if (times > 0) this.#conversations.set(conversation, times);
    else this.#conversations.delete(conversation);
    this.#soon(nowMs, LINGER_MS);
  }

  /** A new connection: the server watches nothing on it yet. */
  connected(nowMs: number): void {
    this.disconnected();
    this.#live = true;
    this.#soon(nowMs, 0);
  }

  disconnected(): void {
    this.#live = false;
    this.#said = NOTHING;
    this.#saidAtMs = -Infinity;
    this.#sayAtMs = this.#againAtMs = this.#asksUntilMs = this.#lastsUntilMs = Infinity;
  }

  /** What one may see may be more than it was: the same is said again. */
  again(nowMs: number): void {
    if (this.#said === NOTHING) return;
    this.#againAtMs = nowMs;
    this.#soon(nowMs, TOGETHER_MS);
  }

  /** Whether nobody looks at this page. */
  pause(paused: boolean, nowMs: number): void {
    this.#paused = paused;
    if (!paused) this.#soon(nowMs, 0);
  }

  /** The server could not take what was said last just now; what it took before stays. */
  refused(nowMs: number): void {
    if (this.#asksUntilMs === Infinity) return;
    this.#asksUntilMs = Infinity;
    this.#sayAtMs = this.#againAtMs = nowMs + RETRY_AFTER_MS;
  }

  /** The server told of these people, perhaps of all that were asked for. */
  told(users: readonly UserId[]): void {
    const asked = this.#said.users;
    if (this.#asksUntilMs === Infinity || users.length < asked.length) return;
    const told = new Set(users);
    if (!asked.every((user) => told.has(user))) return;
    this.#lastsUntilMs = this.#asksUntilMs;
    this.#asksUntilMs = Infinity;
  }

  watches(user: UserId): boolean {
    return this.#said.users.includes(user);
  }

  /** Nothing is told any more of what was watched: what was told is no longer known to be so. */
  hasEnded(nowMs: number): boolean {
    if (nowMs < this.#lastsUntilMs) return false;
    this.#lastsUntilMs = Infinity;
    return true;
  }

  deadlineMs(): number {
    const sayAtMs = this.#live && !this.#paused ? this.#sayAtMs : Infinity;
    return Math.min(sayAtMs, this.#lastsUntilMs);
  }

  /** What has to be said now, if anything. `random` is in [0, 1). */
  due(nowMs: number, random: number): Watch | null {
    if (!this.#live || this.#paused || nowMs < this.#sayAtMs) return null;
    const wanted = this.#wanted(nowMs);
    this.#sayAtMs = this.#againAtMs;
    if (isSame(wanted, this.#said) && nowMs < this.#againAtMs) return null;
    const isAny = wanted.users.length > 0 || wanted.conversations.length > 0;
    this.#said = wanted;
    this.#saidAtMs = nowMs;
    this.#asksUntilMs = wanted.users.length > 0 ? nowMs + LASTS_MS : Infinity;
    this.#againAtMs = isAny ? nowMs + AGAIN_AFTER_MS - AGAIN_SPREAD_MS * random : Infinity;
    this.#sayAtMs = this.#againAtMs;
    return wanted;
  }

  #soon(nowMs: number, inMs: number): void {
    const atMs = Math.max(nowMs + inMs, this.#saidAtMs + AT_MOST_EVERY_MS);
    this.#sayAtMs = Math.min(this.#sayAtMs, atMs);
  }

  /** Those in view, the latest first; then those that were until just now. */
  #wanted(nowMs: number): Watch {
    const inView: UserId[] = [];
    const lingering: UserId[] = [];
    for (const [user, { times, goneAtMs }] of [...this.#users].reverse())
      if (times > 0) inView.push(user);
      else if (nowMs < goneAtMs + LINGER_MS) lingering.push(user);
      else this.#users.delete(user);
    return {
      users: [...inView, ...lingering].slice(0, USERS_MAX),
      conversations: [...this.#conversations.keys()].slice(-CONVERSATIONS_MAX),
    };
  }
}

const isSame = (a: Watch, b: Watch) =>
  isSameSet(a.users, b.users) && isSameSet(a.conversations, b.conversations);

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  const all = new Set(a);
  return a.length === b.length && b.every((one) => all.has(one));
}
