// Tells about messages that came while nobody looked at them: a notification of the desktop and a sound, each
// if wanted, from one of the open tabs.
import { authorName } from '@/lib/chat/author-name';
import type { ChatSession } from '@/lib/chat/chat-session';
import { faceOf, spokenName } from '@/lib/chat/conversation-face';
import { toNames } from '@/lib/chat/mentions';
import { textOf, UNKNOWN_TEXT } from '@/lib/chat/message-text';
import type { ConversationId, Message } from '@/lib/http/types';
import { oneLine } from '@/lib/markup/plain-text';
import type { ConversationEntry } from '@/lib/store/conversation-entry';

import { Announcements } from './announcement';
import { permission } from './permission';
import { preferences } from './preferences';
import { chime } from './sound';

const TEXT_MAX_CHARS = 140;
const SOUND_EVERY_MS = 1_500;

export class Notifier {
  readonly #chat: ChatSession;
  readonly #open: (id: ConversationId) => void;
  readonly #announcements: Announcements;
  readonly #shown = new Map<ConversationId, { notification: Notification; message: Message }>();
  readonly #stops: (() => void)[];
  #soundAt = 0;

  /** `open` shows a conversation: its notification was pressed. */
  constructor(chat: ChatSession, open: (id: ConversationId) => void) {
    this.#chat = chat;
    this.#open = open;
    this.#announcements = new Announcements(chat.tab, chat.tabs);
    this.#stops = [
      chat.onArrivals((messages) => this.#arrived(messages)),
      chat.store.subscribe(({ conversations }) => this.#closeRead(conversations)),
    ];
  }

  /** The conversation that the page shows, null when none. */
  shown: ConversationId | null = null;

  dispose(): void {
    for (const stop of this.#stops) stop();
    this.#announcements.dispose();
    for (const { notification } of this.#shown.values()) notification.close();
  }

  /** Of a burst, the newest of each conversation stands for the others. */
  #arrived(messages: readonly Message[]): void {
    const newest = new Map(messages.map((message) => [message.conversation, message]));
    const counts = new Map<ConversationId, number>();
    for (const { conversation } of messages) counts.set(conversation, (counts.get(conversation) ?? 0) + 1);
    for (const message of newest.values())
      void this.#consider(message, counts.get(message.conversation) ?? 1);
  }

  async #consider(message: Message, count: number): Promise<void> {
    const inView = message.conversation === this.shown && isLookedAt();
    if (!(await this.#announcements.isOurs(message.id, inView))) return;
    // Read meanwhile, on another device.
    const entry = this.#chat.store.getState().conversations[message.conversation];
    if (entry && (entry.last_read >= message.position || isDeleted(message, entry))) return;
    const { desktop, sound } = preferences();
    if (sound) this.#sound();
    if (desktop && permission() === 'granted') this.#show(message, count);
  }

  #sound(): void {
    const now = Date.now();
    if (now - this.#soundAt < SOUND_EVERY_MS) return;
    this.#soundAt = now;
    void chime();
  }

  #show(message: Message, count: number): void {
    const { conversation, sender } = message;
    const state = this.#chat.store.getState();
    const entry = state.conversations[conversation];
    const known =
      entry ?? (state.people[sender] && { id: conversation, kind: 'direct', others: [sender], room: null });
    const text = oneLine(toNames(textOf(message) ?? UNKNOWN_TEXT, state), TEXT_MAX_CHARS);
    const said = known?.kind === 'room' ? `${authorName(state, sender)}: ${text}` : text;
    const notification = new Notification(known ? spokenName(faceOf(known, state)) : 'Milena', {
      body: count > 1 ? `${count} new messages` : said,
      // Of one conversation there is one at a time, also across tabs.
      tag: `milena-${conversation}`,
      icon: '/favicon.svg',
      silent: true,
    });
    notification.onclick = () => {
      window.focus();
      this.#open(conversation);
      notification.close();
    };
    this.#shown.set(conversation, { notification, message });
  }

  #closeRead(conversations: ReturnType<ChatSession['store']['getState']>['conversations']): void {
    for (const [id, { notification, message }] of this.#shown) {
      const entry = conversations[id];
      if ((entry?.unread ?? 1) > 0 && !isDeleted(message, entry)) continue;
      notification.close();
      this.#shown.delete(id);
    }
  }
}

/** Its words are nobody's business any more. */
const isDeleted = ({ id }: Message, entry: ConversationEntry | undefined): boolean =>
  entry?.last_message?.id === id && entry.last_message.deleted !== undefined;

const isLookedAt = () => document.visibilityState === 'visible' && document.hasFocus();
