// What becomes of messages later, as the server plays it: what one asks for, and the answer to it.
import type { Message, Person } from '../../src/lib/http/types';
import type { ClientFrame, ServerFrame } from '../../src/lib/socket/frames';
import { changed } from '../../src/lib/timeline/change';
import type { Change } from '../../src/lib/timeline/change';

import type { Thread } from './fake-backend';

export type DeedFrame = Extract<ClientFrame, { target: unknown }>;

/** The limits of a server that lets messages live. */
export const LIFE = {
  mentions_max: 50,
  pins_max: 100,
  reactions_per_person_max: 20,
  everyone_free_members: 1_000,
  edit_limit_ms: null,
  receipts_members_max: 100,
};

/** The message as it is after the change, in its place. */
export function apply(thread: Thread, change: Change, me: Person): void {
  const update = (message: Message): Message => {
    if (message.position !== change.target) return message;
    const { live: _, ...now } = changed(message, [change], me.id);
    return { ...now, changed: change.at };
  };
  thread.messages = thread.messages.map(update);
  const { conversation } = thread;
  if (conversation.last_message) conversation.last_message = update(conversation.last_message);
}

export function changeOf(frame: DeedFrame, at: number, by: string): Change {
  const common = { at, target: frame.target.position, by };
  switch (frame.type) {
    case 'edit':
      return { ...common, kind: 'edited', body: frame.body, mentions: frame.mentions ?? [] };
    case 'delete':
      return { ...common, kind: 'deleted' };
    case 'react':
      return { ...common, kind: 'reacted', emoji: frame.emoji, on: frame.on };
    case 'pin':
      return { ...common, kind: 'pinned', on: frame.on };
  }
}

/** Somebody else's, as the page hears of it. */
export function frameOf(change: Change, message: Message): ServerFrame {
  const { at: position, by: actor } = change;
  const at = new Date().toISOString();
  const target = { position: message.position, id: message.id };
  const common = { conversation: message.conversation, position, actor, at, target };
  switch (change.kind) {
    case 'edited':
      return { ...common, type: 'edited', body: change.body };
    case 'deleted':
      return { ...common, type: 'deleted' };
    case 'reacted':
      return { ...common, type: 'reacted', emoji: change.emoji, on: change.on };
    case 'pinned':
      return { type: 'event', event: { ...common, id: `e-${position}`, kind: 'pinned', on: change.on } };
  }
}

/** Messages as the timeline tells them. */
export const eventsOf = (messages: readonly Message[]) =>
  messages.map(
    ({ sender, sent_at, kind: _, event, ...rest }) =>
      event ?? { ...rest, kind: 'message', actor: sender, at: sent_at },
  );
