// What is said later of messages, on its way into the store: from frames, from what one did oneself, and by
// asking, where the server does not tell it one by one.
import type { StoreApi } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import type { ConversationId, Message, UserId } from '@/lib/http/types';
import type { OutboxItem } from '@/lib/outbox/outbox-item';
import type { Accepted, ChangedFrame, ChangeFrame, EventFrame, Gap } from '@/lib/socket/frames';
import { heldAt, messageAt } from '@/lib/store/aside';
import type { ChatState } from '@/lib/store/chat-state';
import type { ChatEvent } from '@/lib/store/events';
import type { Change } from '@/lib/timeline/change';

import { Asides } from './asides';
import { changeOfEvent, changeOfFrame, changeOfItem, lastChangesOf, names, pinnedItem } from './change-of';
import { LISTED } from './conversation-loader';
import type { ConversationLoader } from './conversation-loader';
import { changesMessages } from './message-rights';
import { RecentChanges } from './recent-changes';
import { Settled } from './settled';

interface Others {
  store: StoreApi<ChatState>;
  api: Api;
  push: (event: ChatEvent) => void;
  /** Something that stands in the conversation. */
  arrived: (message: Message) => void;
}

export class Changes {
  readonly recent: RecentChanges;
  readonly asides: Asides;
  readonly #settled = new Settled();
  readonly #others: Others;

  constructor(others: Others) {
    const { store, api } = others;
    this.#others = others;
    this.recent = new RecentChanges(store.getState().me.id);
    this.asides = new Asides(store, api, this.recent);
  }

  /** What one did oneself has come true, or was refused for good. Gives back what ends it. */
  readonly onSettled = this.#settled.listen;

  told(frame: ChangeFrame | ChangedFrame | EventFrame): void {
    if (frame.type === 'changed') return this.#toldAnew(frame.message);
    if (frame.type !== 'event') return this.#changed(frame.conversation, changeOfFrame(frame));
    const change = changeOfEvent(frame.event);
    if (change) this.#changed(frame.event.conversation, change);
  }

  /** The server has taken what one did. */
  accepted(item: OutboxItem, frame: Accepted): void {
    const { deed, conversation } = item;
    if (deed?.does === 'pin') {
      const shown = this.#others.store.getState().timelines[conversation]?.messages ?? [];
      // Where it was pinned already, that line stands there.
      if (!messageAt(shown, frame.position)) this.#others.arrived(pinnedItem(item, frame, deed));
    }
    const change = changeOfItem(item, frame);
    if (change) this.#changed(conversation, change);
    this.#settled.tell(item, 'done');
  }

  refused(item: OutboxItem): void {
    this.#settled.tell(item, 'refused');
  }

  /** Not all that was said of older messages is told one by one. */
  missed({ conversation, changes_after: after }: Gap, conversations: ConversationLoader): void {
    if (after === undefined) return;
    const { timelines, aside } = this.#others.store.getState();
    if (timelines[conversation] ?? aside[conversation]) this.asides.missed(conversation, after);
    else conversations.recheck([conversation]);
  }

  /**
   * This person is in the room (again): what was said of its messages while they were not, nobody told them.
   * Their going may have been before the page looked, so that it still holds what it held then.
   */
  cameBack(id: ConversationId, conversations: ConversationLoader): void {
    if (!changesMessages(this.#others.store.getState().limits)) return;
    this.asides.recheck(id);
    conversations.recheck([id]);
  }

  /** What was kept is from before. */
  outdated(conversations: ConversationLoader): void {
    const { limits, order } = this.#others.store.getState();
    if (!changesMessages(limits)) return;
    this.asides.invalidate();
    // The first page of the list is fetched anyway.
    conversations.recheck(order.slice(LISTED));
  }

  /**
   * An edit names this person in something unread: how much does, the server counts. Gives back the messages
   * that did not name them `before`: of those somebody wants them to know.
   */
  applied(
    events: readonly ChatEvent[],
    conversations: ConversationLoader,
    before: ChatState,
  ): readonly Message[] {
    const state = this.#others.store.getState();
    const edits = events.flatMap((event) => {
      const edit = event.kind === 'change' && event.change.kind === 'edited';
      return edit ? [{ id: event.conversation, position: event.change.target, change: event.change }] : [];
    });
    for (const { id, position, change } of edits) {
      const entry = state.conversations[id];
      // It names them now, or may have named them before.
      const counts = names(change, state.me.id) || (entry?.mentions ?? 0) > 0;
      if (entry && counts && position > entry.last_read) conversations.recheck([id]);
    }
    return edits.flatMap(({ id, position }) => {
      const now = heldAt(state, id, position);
      const then = heldAt(before, id, position);
      const fresh = now && then && namesIn(now, state.me.id) && !namesIn(then, state.me.id);
      return fresh && now.sender !== state.me.id ? [now] : [];
    });
  }

  #changed(conversation: ConversationId, change: Change): void {
    this.recent.add(conversation, change);
    this.#others.push({ kind: 'change', conversation, change });
  }

  #toldAnew(message: Message): void {
    const { conversation } = message;
    for (const change of lastChangesOf(message)) this.recent.add(conversation, change);
    this.#others.push({ kind: 'told', conversation, messages: [message] });
  }
}

const namesIn = ({ mentions = [], deleted }: Message, user: UserId): boolean =>
  !deleted && mentions.includes(user);
