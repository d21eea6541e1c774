// Plays the server for one browser page, inside the test: the built files with the real security policy, the
// REST calls and the WebSocket of docs/PROTOCOL.md. What it answers can be bent, to see the states that a
// real server seldom shows.
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

import type { Page, Route, WebSocketRoute } from '@playwright/test';

import type { Conversation, Me, Message, Person, Room, Session } from '../../src/lib/http/types';
import { directConversation } from '../../src/lib/ids/direct-conversation';
import type { ClientFrame, ServerFrame } from '../../src/lib/socket/frames';
import { OF_CONVERSATION } from '../../src/lib/tell/settings';
import type { Change } from '../../src/lib/timeline/change';

import { pageOf } from './history';
import { apply, changeOf, eventsOf, frameOf, LIFE } from './life';
import type { DeedFrame } from './life';
import { listed, listPage, roomOf } from './lists';
import type { Kept } from './lists';
import { PresencePlay } from './presence';
import { TellPlay } from './tell';

export const ORIGIN = 'http://localhost';
const DIST = join(import.meta.dirname, '../../dist');
const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};

export interface Thread {
  conversation: Conversation;
  messages: Message[];
}

type Rejection = Omit<Extract<ServerFrame, { type: 'rejected' }>, 'type' | 'client_id'>;

export class FakeBackend {
  me: Me | null;
  people: Person[] = [];
  threads: Thread[] = [];
  /** Every `send` frame that came, repeats included. */
  sends: Extract<ClientFrame, { type: 'send' }>[] = [];
  reads: Extract<ClientFrame, { type: 'read' }>[] = [];
  hellos: Extract<ClientFrame, { type: 'hello' }>[] = [];
  /** The requests for messages, as their query strings. */
  pages: string[] = [];
  /** So many lists of pins lack the newest one, and say that they may. */
  pinsLate = 0;
  /** How sends are answered: at once, not at all, or with this refusal. */
  answer: 'accept' | 'silence' | Rejection = 'accept';
  /** False: neither requests nor sockets get through. */
  up = true;
  resumed = true;
  delayMs = 0;
  heartbeatMs = 25_000;
  /** So many conversations are on the first page of the list. */
  listed = 100;
  /** Requests whose path matches are never answered. */
  held: RegExp | null = null;
  /** Requests whose path matches are answered with an error. */
  broken: RegExp | null = null;
  /** Messages can be answered, edited, deleted and so on. */
  life = false;
  /** What it says of it, beyond the usual. */
  limits: object = {};
  keepsEdits = true;
  /** Of messages and rooms, what is told when it is asked for. */
  kept: Kept = { edits: new Map(), readers: new Map(), members: new Map() };
  /** All that was done with messages. */
  deeds: DeedFrame[] = [];
  /** Where the person is signed in. */
  sessions: Session[] = [];
  /** Who is here and who writes. */
  readonly presence = new PresencePlay((frame) => this.emit(frame));
  readonly tell = new TellPlay((frame) => this.emit(frame));
  #position = 1_000;
  #sockets = new Set<WebSocketRoute>();

  constructor(me: Me | null) {
    this.me = me;
  }

  async attach(page: Page): Promise<void> {
    await page.route('**/*', (route) => this.#serve(route));
    await page.routeWebSocket('**/ws', (socket) => this.#connect(socket));
  }

  /** A room with these people and oneself in it. */
  room(title: string, people: Person[], change: Partial<Room> = {}): Thread {
    const members = [this.#signedIn(), ...people];
    const thread = roomOf(title, members, change);
    this.threads.push(thread);
    this.kept.members.set(thread.conversation.id, members);
    return thread;
  }

  /** A message that is in the log already. */
  add(to: Person | Thread, sender: Person, body: string, sentAt: Date): Message {
    const me = this.#signedIn();
    const thread = 'conversation' in to ? to : this.thread(to);
    const position = (this.#position += 7);
    const message: Message = {
      id: `m-${position}`,
      conversation: thread.conversation.id,
      ...('conversation' in to
        ? { kind: 'room' }
        : { kind: 'direct', to: sender.id === me.id ? to.id : me.id }),
      sender: sender.id,
      position,
      sent_at: sentAt.toISOString(),
      body,
    };
    thread.messages.push(message);
    thread.conversation.last_message = message;
    thread.conversation.last_position = position;
    if (sender.id !== me.id) thread.conversation.unread += 1;
    return message;
  }

  /** All of it is read, from the last `unread` messages on not. */
  read(of: Person | Thread, unread = 0): void {
    const { conversation, messages } = 'conversation' in of ? of : this.thread(of);
    conversation.unread = unread;
    conversation.last_read = messages.at(-1 - unread)?.position ?? 0;
  }

  thread(person: Person): Thread {
    const known = this.threads.find(({ conversation }) => conversation.person?.id === person.id);
    if (known) return known;
    const conversation: Conversation = {
      id: directConversation(this.#signedIn().id, person.id) ?? '',
      kind: 'direct',
      person,
      last_message: null,
      last_position: 0,
      last_read: 0,
      other_last_read: 0,
      unread: 0,
      notifications: OF_CONVERSATION,
    };
    const thread = { conversation, messages: [] };
    this.threads.push(thread);
    return thread;
  }

  /** Adds a message and sends it to the page. */
  deliver(to: Person | Thread, body: string, sentAt = new Date(), by = to as Person, change = {}): Message {
    const message = Object.assign(this.add(to, by, body, sentAt), change);
    this.emit({ type: 'message', ...message });
    return message;
  }

  emit(frame: ServerFrame): void {
    for (const socket of this.#sockets) socket.send(JSON.stringify(frame));
  }

  async drop(code = 4000): Promise<void> {
    const sockets = [...this.#sockets];
    this.#sockets.clear();
    await Promise.all(sockets.map((socket) => socket.close({ code })));
  }

  #connect(socket: WebSocketRoute): void {
    if (!this.up) return void socket.close({ code: 4009 });
    socket.onMessage((data) => this.#frame(socket, JSON.parse(String(data)) as ClientFrame));
    socket.onClose(() => this.#sockets.delete(socket));
  }

  #frame(socket: WebSocketRoute, frame: ClientFrame): void {
    const send = (answer: ServerFrame) => socket.send(JSON.stringify(answer));
    switch (frame.type) {
      case 'hello':
        this.hellos.push(frame);
        if (!this.me) return void socket.close({ code: 4500 });
        this.#sockets.add(socket);
        return send({
          type: 'welcome',
          user: this.me,
          cursor: 'start',
          resumed: frame.resume !== undefined && this.resumed,
          heartbeat_ms: this.heartbeatMs,
          limits: {
            body_max_chars: 8000,
            client_id_max_chars: 64,
            frame_max_bytes: 131_072,
            max_in_flight: 64,
            ...(this.life ? LIFE : {}),
            ...this.limits,
          },
        });
      case 'send':
        this.sends.push(frame);
        if (this.answer === 'silence') return;
        if (this.answer !== 'accept')
          return send({ type: 'rejected', client_id: frame.client_id, ...this.answer });
        return send(this.#accept(frame));
      case 'edit':
      case 'delete':
      case 'react':
      case 'pin':
        this.deeds.push(frame);
        if (this.answer === 'silence') return;
        if (this.answer !== 'accept')
          return send({ type: 'rejected', client_id: frame.client_id, ...this.answer });
        return send(this.#do(frame));
      case 'read':
        this.reads.push(frame);
        return;
      case 'watch':
      case 'idle':
      case 'typing':
        return this.presence.said(frame, send);
      case 'ping':
        return send({ type: 'pong' });
    }
  }

  /** Somebody else does something with a message. */
  change(of: Person | Thread, message: Message, change: (at: number, target: number) => Change): void {
    const made = change((this.#position += 7), message.position);
    apply('conversation' in of ? of : this.thread(of), made, this.#signedIn());
    this.emit(frameOf(made, message));
  }

  #do(frame: DeedFrame): ServerFrame {
    const { client_id, conversation: id } = frame;
    const position = (this.#position += 7);
    const thread = this.threads.find(({ conversation }) => conversation.id === id);
    if (thread) apply(thread, changeOf(frame, position, this.#signedIn().id), this.#signedIn());
    const sent_at = new Date().toISOString();
    return { type: 'accepted', client_id, id: `e-${position}`, conversation: id, position, sent_at };
  }

  #accept(frame: Extract<ClientFrame, { type: 'send' }>): ServerFrame {
    const { client_id, to, conversation: wanted, body, reply_to, mentions } = frame;
    const person =
      [...this.people, this.#signedIn()].find(({ id }) => id === to) ??
      this.threads.find(({ conversation }) => conversation.id === wanted);
    if (!person)
      return { type: 'rejected', client_id, code: 'unknown_recipient', message: 'nobody', temporary: false };
    const thread = 'conversation' in person ? person : this.thread(person);
    const known = thread.messages.find((message) => message.client_id === client_id);
    const message =
      known ??
      Object.assign(this.add(person, this.#signedIn(), body, new Date()), {
        client_id,
        ...(reply_to ? { reply_to } : {}),
        ...(mentions ? { mentions } : {}),
      });
    const { id, conversation, position, sent_at } = message;
    return { type: 'accepted', client_id, id, conversation, position, sent_at };
  }

  async #serve(route: Route): Promise<void> {
    const url = new URL(route.request().url());
    if (!url.pathname.startsWith('/api/')) return file(route, url.pathname);
    if (!this.up) return route.abort('connectionrefused');
    if (this.held?.test(url.pathname)) return;
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    const [status, body] = this.broken?.test(url.pathname)
      ? problem(503, 'store_unavailable')
      : this.#api(route.request().method(), url, route.request().postData());
    await route.fulfill({
      status,
      contentType: 'application/json',
      body: body === null ? '' : JSON.stringify(body),
    });
  }

  #api(method: string, url: URL, data: string | null): [number, unknown] {
    const call = `${method} ${url.pathname.replace('/api/v1/', '')}`;
    if (call === 'POST register' || call === 'POST login') return this.#enter(call, data);
    if (!this.me) return problem(401, 'unauthenticated');
    if (call === 'POST logout') {
      this.me = null;
      return [204, null];
    }
    const tell = this.tell.answer(call, data);
    if (tell) return [200, tell];
    if (call === 'GET me') return [200, this.me];
    if (/^[A-Z]+ (me|sessions)(\/|$)/.test(call)) return this.#account(call, data);
    const told = listed(this, call, url.searchParams, data);
    if (told !== undefined) return [200, told];
    if (call === 'GET users') return [200, { users: this.#search(url.searchParams.get('query') ?? '') }];
    if (call === 'GET conversations') {
      return [200, listPage(this.#list(), this.listed, url.searchParams.has('before'))];
    }
    const user = /^GET users\/(.+)$/.exec(call)?.[1];
    if (user) return found([...this.people, this.me].find(({ id }) => id === user));
    const [, messages, kind] = /^GET conversations\/([^/]+)\/(messages|events|pins)$/.exec(call) ?? [];
    const thread = (id?: string) => this.threads.find(({ conversation }) => conversation.id === id);
    const all = thread(messages)?.messages ?? [];
    if (kind === 'pins') {
      const pinned = all.filter(({ pinned }) => pinned !== undefined);
      pinned.sort((one, other) => (other.pinned ?? 0) - (one.pinned ?? 0));
      const complete = this.pinsLate <= 0;
      this.pinsLate -= 1;
      return [200, { messages: complete ? pinned : pinned.slice(1), complete }];
    }
    const at = url.searchParams.get('at')?.split(',').map(Number);
    if (at) return [200, { messages: all.filter(({ position }) => at.includes(position)), complete: true }];
    if (kind === 'events') {
      const { messages: told, ...rest } = pageOf(all, url.searchParams);
      return [200, { events: eventsOf(told), ...rest }];
    }
    if (messages) {
      this.pages.push(url.search);
      const of = thread(messages);
      return of ? [200, pageOf(of.messages, url.searchParams)] : problem(404, 'unknown_conversation');
    }
    return found(
      thread(/^GET conversations\/([^/]+)$/.exec(call)?.[1])?.conversation,
      'unknown_conversation',
    );
  }

  #enter(call: string, data: string | null): [number, unknown] {
    const { username, password, display_name } = JSON.parse(data ?? '{}') as Record<string, string>;
    if (call === 'POST login' && password !== 'correct horse') return problem(401, 'bad_credentials');
    if (call === 'POST register' && username === 'taken') return problem(409, 'username_taken', 'username');
    this.me ??= {
      id: '0192f0c1-0000-7000-8000-000000000000',
      username: username ?? '',
      display_name: display_name ?? username ?? '',
    };
    return [200, { user: this.me, token: 'not used', expires_at: new Date().toISOString() }];
  }

  #account(call: string, data: string | null): [number, unknown] {
    const form = JSON.parse(data ?? '{}') as Record<string, string>;
    if (call.endsWith('me/presence')) return [200, this.presence.settle(form)];
    const gone = /^DELETE sessions\/(.+)$/.exec(call)?.[1];
    if (gone) this.sessions = this.sessions.filter(({ id }) => id !== gone);
    switch (call) {
      case 'PATCH me':
        this.me = { ...this.#signedIn(), ...form };
        return [200, this.me];
      case 'PUT me/password':
        if (form.current_password !== 'correct horse')
          return problem(403, 'wrong_password', 'current_password');
        this.sessions = this.sessions.filter(({ current }) => current);
        return [200, { user: this.me, token: 'not used', expires_at: new Date().toISOString() }];
      case 'GET sessions':
        return [200, { sessions: this.sessions }];
      case 'DELETE sessions':
        this.sessions = this.sessions.filter(({ current }) => current);
        return [204, null];
      default:
        return gone ? [204, null] : problem(404, 'not_found');
    }
  }

  #search(query: string): Person[] {
    const wanted = query.toLowerCase();
    return [...this.people, this.#signedIn()].filter(({ username, display_name }) =>
      `${username} ${display_name}`.toLowerCase().includes(wanted),
    );
  }

  #list(): Conversation[] {
    return this.threads
      .map(({ conversation }) => conversation)
      .filter(({ last_message }) => last_message !== null);
  }

  #signedIn(): Me {
    if (!this.me) throw new Error('nobody is signed in');
    return this.me;
  }
}

function problem(status: number, code: string, field?: string): [number, unknown] {
  return [status, { type: 'about:blank', title: code, status, code, ...(field ? { field } : {}) }];
}

function found(value: unknown, code = 'not_found'): [number, unknown] {
  return value === undefined ? problem(404, code) : [200, value];
}

/** Any path that is not a file is the page, as the backend serves it. */
async function file(route: Route, path: string): Promise<void> {
  const asked = join(DIST, path);
  const name = path !== '/' && existsSync(asked) ? asked : join(DIST, 'index.html');
  await route.fulfill({
    status: 200,
    body: readFileSync(name),
    headers: {
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
    },
  });
}
