// What the server tells, on its way into the store: frame by frame in, all of a moment at once into the
// state.
import type { StoreApi } from 'zustand/vanilla';

import type { Message, Room, TimelineEvent, UserId } from '@/lib/http/types';
import type { Keeper } from '@/lib/offline/keeper';
import type { Outbox } from '@/lib/outbox/outbox';
import type { Refusal } from '@/lib/outbox/outbox';
import type { ServerFrame } from '@/lib/socket/frames';
import type { ChatState } from '@/lib/store/chat-state';
import { applyEvents, withOutbox } from '@/lib/store/events';
import type { ChatEvent } from '@/lib/store/events';
import { isMessage, itemOf } from '@/lib/timeline/event';

import type { Arrivals } from './arrivals';
import type { Changes } from './changes';
import type { ConversationLoader } from './conversation-loader';
import { eventOf } from './frame-event';
import type { Presence } from './presence';
import type { Receipts } from './receipts';
import type { TellSettings } from './tell-settings';
import { sentMessage } from './sent-message';

type Greeting = Extract<ServerFrame, { type: 'welcome' }>;

interface InboxOptions {
  store: StoreApi<ChatState>;
  outbox: Outbox;
  changes: Changes;
  conversations: ConversationLoader;
  arrivals: Arrivals;
  receipts: Receipts;
  keeper: Pick<Keeper, 'applied'>;
  presence: Presence;
  tell: TellSettings;
  /** Into the next moment's events. */
  push: (event: ChatEvent) => void;
  welcomed: (frame: Greeting) => void;
}

export class Inbox {
  readonly #to: InboxOptions;

  constructor(options: InboxOptions) {
    this.#to = options;
  }

  received(frame: ServerFrame): void {
    const { outbox, changes, conversations, push } = this.#to;
    switch (frame.type) {
      case 'welcome':
        return this.#to.welcomed(frame);
      case 'prefix':
        return void (outbox.idPrefix = frame.client_id_prefix);
      case 'accepted': {
        const item = outbox.accepted(frame.client_id);
        if (!item) return;
        return item.deed ? changes.accepted(item, frame) : this.arrived(sentMessage(item, frame));
      }
      case 'rejected':
        return this.#refused(frame);
      case 'error':
        if (frame.client_id !== undefined) this.#refused({ ...frame, client_id: frame.client_id });
        else this.#to.presence.refused(frame);
        return;
      case 'message':
        return this.#told(frame);
      case 'event':
        this.#told(itemOf(frame.event));
        if (bringsIn(frame.event, this.#me)) changes.cameBack(frame.event.conversation, conversations);
        return changes.told(frame);
      case 'edited':
      case 'deleted':
      case 'reacted':
        // Done by this page on an earlier connection, or by another page of ours: it is there.
        if (frame.client_id !== undefined) outbox.accepted(frame.client_id);
        return changes.told(frame);
      case 'changed':
        return changes.told(frame);
      case 'room':
        push(eventOf(frame));
        return this.#entered(frame.room);
      case 'gap':
        push(eventOf(frame));
        return changes.missed(frame, conversations);
      case 'read':
      case 'delivered':
        return push(eventOf(frame));
      case 'seen': {
        const { conversation, position, user } = frame;
        return user === undefined
          ? push(eventOf(frame))
          : this.#to.receipts.told({ conversation, position, user });
      }
      case 'presence':
        return this.#to.presence.told(frame);
      case 'typing':
        return this.#to.presence.wrote(frame);
      case 'notifications':
        return this.#to.tell.told(frame);
      case 'cursor':
      case 'pong':
        return;
    }
  }

  arrived(message: Message): void {
    this.#to.presence.spoke(message);
    this.#to.push(this.#to.arrivals.eventOf(message));
  }

  /** All of a moment. */
  apply(events: ChatEvent[]): void {
    const { store, outbox, changes, arrivals, conversations: loader } = this.#to;
    const before = store.getState();
    const { conversations, me } = before;
    store.setState((state) => withOutbox(applyEvents(state, events), outbox.items), true);
    this.#to.keeper.applied(events);
    for (const { conversation } of arrivals.tell(events, me.id)) loader.refresh(conversation);
    arrivals.named(changes.applied(events, loader, before));
    for (const event of events) {
      if (event.kind === 'read') loader.recount(event.conversation, event.position);
      if (event.kind !== 'message' || !isMessage(event.message)) continue;
      // Also one that a message of one's own made known here: how far it was read, the server knows.
      const { conversation } = event.message;
      if (!conversations[conversation]) void loader.one(conversation).catch(() => loader.loadSoon());
    }
  }

  #refused(refusal: Refusal): void {
    const item = this.#to.outbox.refused(refusal);
    if (item && !refusal.temporary) this.#to.changes.refused(item);
  }

  #told({ type: _, ...message }: Message & { type?: string }): void {
    // Sent by this page on an earlier connection, or by another page of ours: it is there.
    if (message.client_id !== undefined) this.#to.outbox.accepted(message.client_id);
    this.arrived(message);
  }

  /** Into a room just now: what was said there, and what became of that, the server knows. */
  #entered({ id, role }: Room): void {
    const { store, changes, conversations } = this.#to;
    if (!role || store.getState().conversations[id]?.room?.role) return;
    void conversations.one(id).catch(() => undefined);
    changes.cameBack(id, conversations);
  }

  get #me(): UserId {
    return this.#to.store.getState().me.id;
  }
}

/** Whether somebody is in the room by this. */
function bringsIn({ kind, actor, users = [] }: TimelineEvent, user: UserId): boolean {
  return (kind === 'joined' && actor === user) || (kind === 'members_added' && users.includes(user));
}
