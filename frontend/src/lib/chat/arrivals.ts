// What others wrote, once each, for whoever tells about it outside of the conversation.
import type { Message, UserId } from '@/lib/http/types';
import type { ChatEvent } from '@/lib/store/events';
import { isMessage } from '@/lib/timeline/event';

import { RecentIds } from './recent-ids';

/** `why`: they are new, or an edit names this person who was not named before. */
type Listener = (messages: readonly Message[], why: 'new' | 'named') => void;

export class Arrivals {
  readonly #recent = new RecentIds();
  readonly #listeners = new Set<Listener>();

  /** As an event of the store: a resumed connection may bring it again. */
  eventOf(message: Message): ChatEvent {
    return { kind: 'message', message, fresh: this.#recent.add(message.id) };
  }

  /** Gives back what ends it. */
  readonly listen = (listener: Listener): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Tells of those that are new and not one's own, and gives them back. */
  tell(events: readonly ChatEvent[], me: UserId): readonly Message[] {
    const arrived = events.flatMap((event) =>
      event.kind === 'message' && event.fresh && isNews(event.message, me) ? [event.message] : [],
    );
    if (arrived.length > 0) this.#call(arrived, 'new');
    return arrived;
  }

  /** Of edits, that name this person for the first time. */
  named(messages: readonly Message[]): void {
    if (messages.length > 0) this.#call(messages, 'named');
  }

  #call(messages: readonly Message[], why: 'new' | 'named'): void {
    for (const listener of this.#listeners) listener(messages, why);
  }
}

/** What was deleted before it came here is no news. */
const isNews = (message: Message, me: UserId): boolean =>
  message.sender !== me && isMessage(message) && !message.deleted;
