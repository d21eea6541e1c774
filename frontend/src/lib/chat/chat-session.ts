// One signed-in person's chat, from sign-in to sign-out: puts together the socket, the outbox, history and
// the store. It lives outside React, so that rendering twice never connects twice.
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import type { ConversationId, Me, Position } from '@/lib/http/types';
import type { Destination } from '@/lib/outbox/destination';
import { Adoption } from '@/lib/outbox/adoption';
import { Keeper } from '@/lib/offline/keeper';
import { restored } from '@/lib/offline/restored';
import { Outbox } from '@/lib/outbox/outbox';
import type { Deed, OutboxContent } from '@/lib/outbox/outbox-item';
import type { Welcome } from '@/lib/socket/frames';
import { SocketClient } from '@/lib/socket/socket-client';
import type { SocketState } from '@/lib/socket/socket-client';
import { initialState } from '@/lib/store/chat-state';
import type { ChatState } from '@/lib/store/chat-state';
import { createDraftStore } from '@/lib/store/drafts';
import type { DraftStore } from '@/lib/store/drafts';
import { readUpTo } from '@/lib/store/events';
import type { ChatEvent } from '@/lib/store/events';
import type { TabChannel, TabNews } from '@/lib/tabs/tab-channel';

import { Arrivals } from './arrivals';
import { Changes } from './changes';
import type { ChatSessionOptions } from './chat-session-options';
import { ConversationLoader } from './conversation-loader';
import { Edits } from './edits';
import { FrameBatch } from './frame-batch';
import { History } from './history';
import { inTime } from './in-time';
import { Inbox } from './inbox';
import { Myself } from './myself';
import { Names } from './names';
import { OwnPresence } from './own-presence';
import { watchPage } from './page-events';
import { Places } from './places';
import { Presence } from './presence';
import { Reports } from './reports';
import { Receipts } from './receipts';
import { Rooms } from './rooms';
import { isClosed, isOver } from './signed-out';
import { TellSettings } from './tell-settings';
import { createWritingStore } from './writing';
import type { WritingStore } from './writing';

/** Without a live connection by then, the list is fetched all the same. */
const FIRST_LOAD_MS = 1_000;

export class ChatSession {
  readonly store: StoreApi<ChatState>;
  readonly drafts: DraftStore;
  readonly tabs: TabChannel;
  readonly tab: string;
  readonly history: History;
  readonly places = new Places();
  readonly conversations: ConversationLoader;
  readonly names: Names;
  readonly rooms: Rooms;
  readonly receipts: Receipts;
  readonly edits: Edits;
  readonly changes: Changes;
  readonly presence: Presence;
  readonly ownPresence: OwnPresence;
  readonly tell: TellSettings;
  /** Which messages are being answered or edited. */
  readonly writing: WritingStore;
  readonly #outbox: Outbox;
  readonly #socket: SocketClient;
  readonly #batch: FrameBatch<ChatEvent>;
  readonly #arrivals = new Arrivals();
  readonly #options: ChatSessionOptions;
  readonly #reports: Reports;
  readonly #adoption: Adoption;
  readonly #inbox: Inbox;
  readonly #keeper: Keeper;
  readonly #myself: Myself;
  #firstLoad: ReturnType<typeof setTimeout> | undefined;
  #unwatch: (() => void) | undefined;
  #ended = false;

  constructor(options: ChatSessionOptions) {
    const { me, api, storage, page, tabs, socketUrl, createSocket, kept } = options;
    this.#options = options;
    this.store = createStore<ChatState>(() => restored(initialState(me), options.restored));
    this.#keeper = new Keeper(this.store, api, kept);
    this.tabs = tabs;
    this.#myself = new Myself(this.store, api, tabs);
    this.tab = page.id;
    this.drafts = createDraftStore(me.id, tabs);
    this.writing = createWritingStore(me.id);
    this.changes = new Changes({
      store: this.store,
      api,
      push: (event) => this.#batch.push(event),
      arrived: (message) => this.#inbox.arrived(message),
    });
    this.history = new History(this.store, api, this.changes, (id) => this.#keeper.window(id));
    this.conversations = new ConversationLoader(this.store, api, this.changes.recent);
    this.names = new Names(this.store, api);
    this.edits = new Edits(api);
    this.receipts = new Receipts(api, this.names);
    this.rooms = new Rooms(this.store, api, this.names, this.conversations);
    this.presence = new Presence({ me: me.id, send: (frame) => this.#socket.send(frame) });
    this.ownPresence = new OwnPresence(api, tabs);
    this.tell = new TellSettings(this.store, api);
    this.#batch = new FrameBatch((events) => !this.#ended && this.#inbox.apply(events));
    this.#socket = new SocketClient({
      url: socketUrl,
      onFrame: (frame) => this.#inbox.received(frame),
      onState: (state) => this.#connectionChanged(state),
      ...(createSocket ? { createSocket } : {}),
    });
    this.#reports = new Reports(this.store, (frame) => this.#socket.send(frame));
    this.#outbox = new Outbox({
      owner: me.id,
      page: page.id,
      storage,
      send: (frame) => this.#socket.send(frame),
      onChange: () => this.#batch.schedule(),
    });
    this.#adoption = new Adoption(this.#outbox, page);
    this.#inbox = new Inbox({
      store: this.store,
      outbox: this.#outbox,
      changes: this.changes,
      conversations: this.conversations,
      arrivals: this.#arrivals,
      receipts: this.receipts,
      keeper: this.#keeper,
      presence: this.presence,
      tell: this.tell,
      push: (event) => this.#batch.push(event),
      welcomed: (frame) => this.#welcomed(frame),
    });
  }

  start(): void {
    this.tabs.listen((news) => this.#heard(news));
    this.store.subscribe((now, before) => this.presence.follow(now.order, before.order));
    this.#socket.connect();
    this.#adoption.look();
    this.#firstLoad = setTimeout(() => void this.conversations.load(), FIRST_LOAD_MS);
    this.#unwatch = watchPage({
      // Both can be false alarms: they are a reason to look, not a verdict.
      networkChanged: this.wake,
      shown: () => {
        this.#batch.flush();
        this.wake();
        this.#freshen();
        this.presence.shown();
      },
      hidden: () => {
        this.#reports.send();
        this.#keeper.write();
        this.presence.hidden();
      },
      focused: () => this.#freshen(),
      touched: this.presence.touched,
      mayLeave: () => !this.#outbox.atRisk && !this.drafts.atRisk,
    });
  }

  /** Nothing is shown or sent any more. What is unsent stays stored. */
  dispose(): void {
    this.#reports.dispose();
    this.#ended = true;
    this.#keeper.dispose();
    this.#myself.dispose();
    this.#adoption.end();
    clearTimeout(this.#firstLoad);
    this.#unwatch?.();
    this.#outbox.dispose();
    this.presence.dispose();
    this.tell.dispose();
    this.#socket.close();
    this.#batch.cancel();
    this.history.dispose();
    this.changes.asides.dispose();
    this.conversations.dispose();
    this.names.dispose();
    this.drafts.dispose();
    this.tabs.close();
    this.#options.page.release();
  }

  /** False when too many unsent messages wait already: the text was not taken. */
  send(destination: Destination, content: OutboxContent): boolean {
    const taken = this.#outbox.add(destination, content);
    this.#batch.flush();
    return taken;
  }

  /** The same, for what is done with a message that stands there. */
  do(conversation: ConversationId, deed: Deed, body = ''): boolean {
    return this.send({ conversation, to: null }, { body, deed });
  }

  readonly reactors: Api['reactors'] = (...asked) => this.#options.api.reactors(...asked);
  readonly retry = (clientId: string): void => this.#outbox.retry(clientId);
  readonly discard = (clientId: string): void => this.#outbox.discard(clientId);

  /** What would be lost by signing out: everything unsent of this person in this browser. */
  async countUnsent(): Promise<number> {
    const own = this.#outbox.items.length;
    return inTime(this.#outbox.countAll(), own);
  }

  /** Signing out on purpose leaves nothing behind in this browser, and ends the other tabs. */
  async forget(): Promise<void> {
    const { storage, me } = this.#options;
    this.#letGo();
    this.writing.clear();
    this.tabs.post({ kind: 'left' });
    await inTime<unknown>(Promise.all([storage.clear(me.id), this.#keeper.forget()]), null);
  }

  markRead(id: ConversationId, position: Position): void {
    const entry = this.store.getState().conversations[id];
    if (!entry || position <= entry.last_read) return;
    this.store.setState((state) => readUpTo(state, id, position));
    this.tabs.post({ kind: 'read', conversation: id, position });
    this.#reports.read(id, position);
  }

  /** One's own new name, and what one shows of oneself, as the server took it. */
  readonly renamed = (me: Me): void => this.#myself.renamed(me);

  /** What others wrote, once each, as it comes; all of a moment at once. Gives back what ends it. */
  readonly onArrivals = this.#arrivals.listen;

  /** Connect now, or test the connection that there is. */
  readonly wake = (): void => this.#socket.wake();

  /** Somebody looks again: names may have changed meanwhile, one's own on another device, too. */
  #freshen(): void {
    if (this.#socket.live && this.conversations.freshen()) this.#myself.ask();
  }

  #heard(news: TabNews): void {
    if (news.kind === 'read') this.#batch.push(news);
    if (news.kind === 'me') this.#myself.told(news.me);
    if (news.kind === 'left') {
      this.#letGo();
      this.#over('left');
    }
  }

  /** Whoever is not signed in reads nothing here either. */
  #over(why: 'ended' | 'left'): void {
    void this.#keeper.forget();
    this.#options.onEnded(why);
  }

  #letGo(): void {
    this.#outbox.discardAll();
    this.drafts.clear();
  }

  #welcomed({ user, client_id_prefix, limits, resumed }: Welcome): void {
    this.#myself.welcomed(user, !resumed && this.changes.recent.connection > 0);
    this.#outbox.idPrefix = client_id_prefix ?? '';
    this.store.setState({ limits });
    clearTimeout(this.#firstLoad);
    // Live from here on: fetching now cannot leave a hole between the answer and the next frame.
    this.changes.recent.connection += 1;
    if (!resumed) {
      this.#keeper.outdated();
      this.history.invalidate();
      this.changes.outdated(this.conversations);
    }
    this.changes.asides.retry();
    this.history.retryFailed();
    void this.conversations.load();
    this.presence.connected();
    void Promise.all([this.ownPresence.load(), this.tell.load()]);
    this.#reports.send();
    // What another page, closed meanwhile, left unsent goes before what is written now.
    this.#adoption.look();
    void this.#adoption.done().then(() => {
      if (this.#socket.live) this.#outbox.connected();
    });
  }

  #connectionChanged(connection: SocketState): void {
    if (this.#ended) return;
    if (connection.phase !== 'live') {
      this.#outbox.disconnected();
      this.presence.disconnected();
    }
    this.store.setState({ connection });
    if (isClosed(connection)) this.#over('ended');
    void isOver(connection, this.#options.api).then((over) => {
      if (over && !this.#ended) this.#over('ended');
    });
  }
}
