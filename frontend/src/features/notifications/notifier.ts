// Tells about messages that came while nobody looked at them, if they call for the person: a notification of
// the desktop and a sound, each if wanted, from one of the open tabs.
import { authorName } from '@/lib/chat/author-name';
import type { ChatSession } from '@/lib/chat/chat-session';
import { faceOf, spokenName } from '@/lib/chat/conversation-face';
import { toNames } from '@/lib/chat/mentions';
import { textOf, UNKNOWN_TEXT } from '@/lib/chat/message-text';
import type { ConversationId, Message } from '@/lib/http/types';
import { oneLine } from '@/lib/markup/plain-text';
import { heldAt } from '@/lib/store/aside';
import type { ChatState } from '@/lib/store/chat-state';

import { Announcements } from './announcement';
import { isCalling } from './calling';
import { permission } from './permission';
import { preferences } from './preferences';
import { chime } from './sound';

const TEXT_MAX_CHARS = 140;
const SOUND_EVERY_MS = 1_500;

interface Shown {
  notification: Notification;
  message: Message;
  /** By an edit: it stands until somebody looks. */
  named: boolean;
}

export class Notifier {
  readonly #chat: ChatSession;
  readonly #open: (id: ConversationId) => void;
  readonly #announcements: Announcements;
  readonly #shown = new Map<ConversationId, Shown>();
  readonly #stops: (() => void)[];
  #soundAt = 0;

  /** `open` shows a conversation: its notification was pressed. */
  constructor(chat: ChatSession, open: (id: ConversationId) => void) {
    this.#chat = chat;
    this.#open = open;
    this.#announcements = new Announcements(chat.tab, chat.tabs);
    this.#stops = [
      chat.onArrivals((messages, why) => void this.#arrived(messages, why === 'named')),
      chat.store.subscribe((state) => this.#closeRead(state)),
    ];
  }

  /** The conversation that the page shows, null when none. */
  shown: ConversationId | null = null;

  dispose(): void {
    for (const stop of this.#stops) stop();
    this.#announcements.dispose();
    for (const { notification } of this.#shown.values()) notification.close();
  }

  /** Of a burst, the newest that calls of each conversation stands for the others. */
  async #arrived(arrived: readonly Message[], named: boolean): Promise<void> {
    const calls = await Promise.all(arrived.map((message) => isCalling(this.#chat, message, named)));
    const messages = arrived.filter((_, index) => calls[index]);
    const newest = new Map(messages.map((message) => [message.conversation, message]));
    const counts = new Map<ConversationId, number>();
    for (const { conversation } of messages) counts.set(conversation, (counts.get(conversation) ?? 0) + 1);
    for (const message of newest.values())
      void this.#consider(message, counts.get(message.conversation) ?? 1, named);
  }

  /** `named`: by an edit, of a message that was read perhaps. */
  async #consider(message: Message, count: number, named: boolean): Promise<void> {
    const inView = message.conversation === this.shown && isLookedAt();
    // Told of once as a message, and once more as one that names.
    const key = named ? `${message.id} ${message.edited ?? ''}` : message.id;
    if (!(await this.#announcements.isOurs(key, inView))) return;
    // Read meanwhile, on another device.
    const state = this.#chat.store.getState();
    const entry = state.conversations[message.conversation];
    const read = !named && (entry?.last_read ?? 0) >= message.position;
    if (entry && (read || isDeleted(message, state))) return;
    const { desktop, sound } = preferences();
    if (sound) this.#sound();
    if (desktop && permission() === 'granted') this.#show(message, count, named);
  }

  #sound(): void {
    const now = Date.now();
    if (now - this.#soundAt < SOUND_EVERY_MS) return;
    this.#soundAt = now;
    void chime();
  }

  #show(message: Message, count: number, named: boolean): void {
    const { conversation, sender } = message;
    const state = this.#chat.store.getState();
    const entry = state.conversations[conversation];
    const known =
      entry ?? (state.people[sender] && { id: conversation, kind: 'direct', others: [sender], room: null });
    const text = oneLine(toNames(textOf(message) ?? UNKNOWN_TEXT, state), TEXT_MAX_CHARS);
    const said = known?.kind === 'room' ? `${authorName(state, sender)}: ${text}` : text;
    const title = known ? spokenName(faceOf(known, state)) : 'Milena';
    const options = {
      body: count > 1 ? `${count} new messages` : said,
      // Of one conversation there is one at a time, also across tabs, and of what the service worker shows.
      tag: `milena-${conversation}`,
      icon: '/favicon.svg',
      silent: true,
    };
    let notification: Notification;
    try {
      notification = new Notification(title, options);
    } catch {
      // On Android only the worker may; what it shows goes by what stands in its data (use-pushed).
      void byWorker(title, { ...options, data: { conversation, position: message.position } });
      return;
    }
    notification.onclick = () => {
      window.focus();
      this.#open(conversation);
      notification.close();
    };
    this.#shown.set(conversation, { notification, message, named });
  }

  #closeRead(state: ChatState): void {
    for (const [id, { notification, message, named }] of this.#shown) {
      const unread = named ? id !== this.shown : (state.conversations[id]?.unread ?? 1) > 0;
      if (unread && !isDeleted(message, state)) continue;
      notification.close();
      this.#shown.delete(id);
    }
  }
}

/** Its words are nobody's business any more. */
const isDeleted = ({ conversation, position }: Message, state: ChatState): boolean =>
  heldAt(state, conversation, position)?.deleted !== undefined;

const isLookedAt = () => document.visibilityState === 'visible' && document.hasFocus();

async function byWorker(title: string, options: NotificationOptions): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration();
  await registration?.showNotification(title, options).catch(() => undefined);
}
