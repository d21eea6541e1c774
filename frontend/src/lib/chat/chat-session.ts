// One signed-in person's chat, from sign-in to sign-out: puts together the socket, the outbox, history and
// the store. It lives outside React, so that rendering twice never connects twice.
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { ConversationId, Message, Person, Position, Room } from '@/lib/http/types';
import type { Destination } from '@/lib/outbox/destination';
import { Outbox } from '@/lib/outbox/outbox';
import type { ServerFrame } from '@/lib/socket/frames';
import { SocketClient } from '@/lib/socket/socket-client';
import type { SocketState } from '@/lib/socket/socket-client';
import { initialState } from '@/lib/store/chat-state';
import type { ChatState } from '@/lib/store/chat-state';
import { createDraftStore } from '@/lib/store/drafts';
import type { DraftStore } from '@/lib/store/drafts';
import { applyEvents, readUpTo, withMe, withOutbox } from '@/lib/store/events';
import type { ChatEvent } from '@/lib/store/events';
import type { TabChannel, TabNews } from '@/lib/tabs/tab-channel';
import { isMessage, itemOf } from '@/lib/timeline/event';

import { Arrivals } from './arrivals';
import type { ChatSessionOptions } from './chat-session-options';
import { ConversationLoader } from './conversation-loader';
import { eventOf } from './frame-event';
import { FrameBatch } from './frame-batch';
import { History } from './history';
import { Names } from './names';
import { watchPage } from './page-events';
import { Places } from './places';
import { ReadReports } from './read-reports';
import { Rooms } from './rooms';
import { sentMessage } from './sent-message';
import { isSignedOut } from './signed-out';

/** Without a live connection by then, the list is fetched all the same. */
const FIRST_LOAD_MS = 1_000;
/** A browser whose storage hangs stops neither sending nor leaving. */
const STORAGE_MS = 1_000;
const NO_SESSION = [4500, 4501];

export class ChatSession {
  readonly store: StoreApi<ChatState>;
  readonly drafts: DraftStore;
  readonly tabs: TabChannel;
  /** This tab's name among them. */
  readonly tab: string;
  readonly history: History;
  readonly places = new Places();
  readonly conversations: ConversationLoader;
  readonly names: Names;
  readonly rooms: Rooms;
  readonly #outbox: Outbox;
  readonly #socket: SocketClient;
  readonly #batch: FrameBatch<ChatEvent>;
  readonly #arrivals = new Arrivals();
  readonly #options: ChatSessionOptions;
  readonly #reads: ReadReports;
  /** Takes over what earlier pages left unsent, one search after the other. */
  #adoption: Promise<void> = Promise.resolve();
  #firstLoad: ReturnType<typeof setTimeout> | undefined;
  #unwatch: (() => void) | undefined;
  #ended = false;

  constructor(options: ChatSessionOptions) {
    const { me, api, storage, page, tabs, socketUrl, createSocket } = options;
    this.#options = options;
    this.store = createStore<ChatState>(() => initialState(me));
    this.tabs = tabs;
    this.tab = page.id;
    this.drafts = createDraftStore(me.id, tabs);
    this.history = new History(this.store, api);
    this.conversations = new ConversationLoader(this.store, api);
    this.names = new Names(this.store, api);
    this.rooms = new Rooms(this.store, api, this.names, this.conversations);
    this.#batch = new FrameBatch((events) => this.#apply(events));
    this.#socket = new SocketClient({
      url: socketUrl,
      onFrame: (frame) => this.#received(frame),
      onState: (state) => this.#connectionChanged(state),
      ...(createSocket ? { createSocket } : {}),
    });
    this.#reads = new ReadReports((conversation, position) =>
      this.#socket.send({ type: 'read', conversation, position }),
    );
    this.#outbox = new Outbox({
      owner: me.id,
      page: page.id,
      storage,
      send: (frame) => this.#socket.send(frame),
      onChange: () => this.#batch.schedule(),
    });
  }

  start(): void {
    this.tabs.listen((news) => this.#heard(news));
    this.#socket.connect();
    this.#adopt();
    this.#firstLoad = setTimeout(() => void this.conversations.load(), FIRST_LOAD_MS);
    this.#unwatch = watchPage({
      // Both can be false alarms: they are a reason to look, not a verdict.
      networkChanged: this.wake,
      shown: () => {
        this.#batch.flush();
        this.wake();
        this.#freshen();
      },
      hidden: () => this.#reads.send(),
      focused: () => this.#freshen(),
      mayLeave: () => !this.#outbox.atRisk && !this.drafts.atRisk,
    });
  }

  /** Nothing is shown or sent any more. What is unsent stays stored. */
  dispose(): void {
    this.#reads.dispose();
    this.#ended = true;
    clearTimeout(this.#firstLoad);
    this.#unwatch?.();
    this.#outbox.dispose();
    this.#socket.close();
    this.#batch.cancel();
    this.history.dispose();
    this.conversations.dispose();
    this.names.dispose();
    this.drafts.dispose();
    this.tabs.close();
    this.#options.page.release();
  }

  /** False when too many unsent messages wait already: the text was not taken. */
  send(destination: Destination, body: string): boolean {
    const taken = this.#outbox.add(destination, body);
    this.#batch.flush();
    return taken;
  }

  readonly retry = (clientId: string): void => this.#outbox.retry(clientId);
  readonly discard = (clientId: string): void => this.#outbox.discard(clientId);

  /** What would be lost by signing out: everything unsent of this person in this browser. */
  async countUnsent(): Promise<number> {
    const own = this.#outbox.items.length;
    return Promise.race([this.#outbox.countAll(), delay(STORAGE_MS).then(() => own)]);
  }

  /** Signing out on purpose leaves nothing behind in this browser, and ends the other tabs. */
  async forget(): Promise<void> {
    const { storage, me } = this.#options;
    this.#letGo();
    this.tabs.post({ kind: 'left' });
    await Promise.race([storage.clear(me.id), delay(STORAGE_MS)]);
  }

  markRead(id: ConversationId, position: Position): void {
    const entry = this.store.getState().conversations[id];
    if (!entry || position <= entry.last_read) return;
    this.store.setState((state) => readUpTo(state, id, position));
    this.tabs.post({ kind: 'read', conversation: id, position });
    this.#reads.add(id, position);
  }

  /** One's own new name, as the server took it. */
  renamed(me: Person): void {
    this.#named(me);
    this.tabs.post({ kind: 'me', me });
  }

  /** What others wrote, once each, as it comes; all of a moment at once. Gives back what ends it. */
  readonly onArrivals = this.#arrivals.listen;

  /** Connect now, or test the connection that there is. */
  readonly wake = (): void => this.#socket.wake();

  /** Somebody looks again: names may have changed meanwhile, one's own on another device, too. */
  #freshen(): void {
    if (!this.#socket.live || !this.conversations.freshen()) return;
    this.#options.api.me().then(
      (me) => !this.#ended && this.#named(me),
      () => undefined,
    );
  }

  #heard(news: TabNews): void {
    if (news.kind === 'read') this.#batch.push(news);
    if (news.kind === 'me') this.#named(news.me);
    if (news.kind === 'left') {
      this.#letGo();
      this.#options.onEnded('left');
    }
  }

  #letGo(): void {
    this.#outbox.discardAll();
    this.drafts.clear();
  }

  #named = (me: Person): void => this.store.setState((state) => withMe(state, me));

  #received(frame: ServerFrame): void {
    switch (frame.type) {
      case 'welcome':
        this.#named(frame.user);
        this.#outbox.idPrefix = frame.client_id_prefix ?? '';
        return this.#welcomed(frame.resumed);
      case 'prefix':
        return void (this.#outbox.idPrefix = frame.client_id_prefix);
      case 'accepted': {
        const item = this.#outbox.accepted(frame.client_id);
        return item && this.#arrived(sentMessage(item, frame));
      }
      case 'rejected':
        return this.#outbox.refused(frame);
      case 'error':
        if (frame.client_id !== undefined) this.#outbox.refused({ ...frame, client_id: frame.client_id });
        return;
      case 'message':
        return this.#told(frame);
      case 'event':
        return this.#told(itemOf(frame.event));
      case 'room':
        this.#batch.push(eventOf(frame));
        return this.#entered(frame.room);
      case 'read':
      case 'seen':
      case 'gap':
        return this.#batch.push(eventOf(frame));
      case 'cursor':
      case 'pong':
        return;
    }
  }

  #welcomed(resumed: boolean): void {
    clearTimeout(this.#firstLoad);
    // Live from here on: fetching now cannot leave a hole between the answer and the next frame.
    if (!resumed) this.history.invalidate();
    this.history.retryFailed();
    void this.conversations.load();
    this.#reads.send();
    // What another page, closed meanwhile, left unsent goes before what is written now.
    this.#adopt();
    void Promise.race([this.#adoption, delay(STORAGE_MS)]).then(() => {
      if (this.#socket.live) this.#outbox.connected();
    });
  }

  #told({ type: _, ...message }: Message & { type?: string }): void {
    // Sent by this page on an earlier connection, or by another page of ours: it is there.
    if (message.client_id !== undefined) this.#outbox.accepted(message.client_id);
    this.#arrived(message);
  }

  /** Into a room just now: what was said there, the server knows. */
  #entered({ id, role }: Room): void {
    const known = this.store.getState().conversations[id];
    if (role && !known?.room?.role) void this.conversations.one(id).catch(() => undefined);
  }

  #arrived(message: Message): void {
    this.#batch.push(this.#arrivals.eventOf(message));
  }

  #apply(events: ChatEvent[]): void {
    if (this.#ended) return;
    const { conversations, me } = this.store.getState();
    this.store.setState((state) => withOutbox(applyEvents(state, events), this.#outbox.items), true);
    for (const { conversation } of this.#arrivals.tell(events, me.id))
      this.conversations.refresh(conversation);
    for (const event of events) {
      if (event.kind === 'read') this.conversations.recount(event.conversation, event.position);
      if (event.kind !== 'message' || !isMessage(event.message)) continue;
      // Also one that a message of one's own made known here: how far it was read, the server knows.
      const { conversation } = event.message;
      if (!conversations[conversation])
        void this.conversations.one(conversation).catch(() => this.conversations.loadSoon());
    }
  }

  #adopt(): void {
    this.#adoption = this.#adoption.then(async () => {
      const others = await this.#options.page.others();
      if (!this.#ended) await this.#outbox.adopt(others);
    });
  }

  #connectionChanged(connection: SocketState): void {
    if (this.#ended) return;
    if (connection.phase !== 'live') this.#outbox.disconnected();
    this.store.setState({ connection });
    if (connection.phase === 'closed' && NO_SESSION.includes(connection.code)) this.#options.onEnded('ended');
    // A browser does not tell why an upgrade failed; one that needs a new sign-in must not try for ever.
    if (connection.phase === 'backing-off' && !connection.opened && connection.attempt % 3 === 0)
      void isSignedOut(this.#options.api).then((out) => {
        if (out && !this.#ended) this.#options.onEnded('ended');
      });
  }
}

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
