// Of what one wants to be told, as the server keeps it.
import type { ConversationNotifications, Notifications } from '../../src/lib/http/types';
import type { ServerFrame } from '../../src/lib/socket/frames';
import { GENERAL, OF_CONVERSATION } from '../../src/lib/tell/settings';
import type { General, OfConversation } from '../../src/lib/tell/settings';

export class TellPlay {
  revision = 0;
  general: General = GENERAL;
  readonly of = new Map<string, OfConversation>();
  readonly #emit: (frame: ServerFrame) => void;

  constructor(emit: (frame: ServerFrame) => void) {
    this.#emit = emit;
  }

  /** Chosen on another device. */
  choose(conversation: string, change: Partial<OfConversation>): void {
    const settings = this.#set(conversation, change);
    this.#emit({ type: 'notifications', revision: this.revision, conversation, settings });
  }

  /** Undefined: it is another kind of question. */
  answer(call: string, data: string | null): Notifications | ConversationNotifications | undefined {
    const form = JSON.parse(data ?? '{}') as object;
    if (call === 'PATCH me/notifications') {
      this.general = { ...this.general, ...form };
      this.revision += 1;
    }
    if (call.endsWith(' me/notifications')) return this.#all();
    const [, id] = /^PUT conversations\/([^/]+)\/notifications$/.exec(call) ?? [];
    return id === undefined ? undefined : { ...this.#set(id, form), revision: this.revision };
  }

  #set(conversation: string, change: Partial<OfConversation>): OfConversation {
    const settings = { ...OF_CONVERSATION, ...change };
    this.of.set(conversation, settings);
    this.revision += 1;
    return settings;
  }

  #all(): Notifications {
    const conversations = [...this.of].map(([conversation, own]) => ({ conversation, ...own }));
    return { ...this.general, revision: this.revision, conversations };
  }
}
