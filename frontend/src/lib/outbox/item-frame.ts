// What is unsent as the frame that says it.
import type { ClientFrame } from '@/lib/socket/frames';

import type { OutboxItem } from './outbox-item';

/** `tried`: it may have reached the server before. */
export function frameOf(item: OutboxItem, tried: boolean): ClientFrame {
  const { client_id, conversation, to, body, reply_to, mentions, everyone, deed } = item;
  if (!deed)
    return {
      type: 'send',
      client_id,
      // To a person: the conversation need not exist yet.
      ...(to === null ? { conversation } : { to }),
      body,
      ...(reply_to ? { reply_to } : {}),
      ...(mentions && mentions.length > 0 ? { mentions } : {}),
      ...(everyone ? { everyone } : {}),
      ...(tried ? { retry: true } : {}),
    };
  const { target } = deed;
  const common = { client_id, conversation, target };
  switch (deed.does) {
    case 'edit':
      return { type: 'edit', ...common, body, ...(deed.mentions ? { mentions: deed.mentions } : {}) };
    case 'delete':
      return { type: 'delete', ...common };
    case 'react':
      return { type: 'react', ...common, emoji: deed.emoji, on: deed.on };
    case 'pin':
      return { type: 'pin', ...common, on: deed.on };
  }
}
