// What was unsent becomes a message when the server has accepted it.
import type { Message } from '@/lib/http/types';
import type { OutboxItem } from '@/lib/outbox/outbox-item';
import type { Accepted } from '@/lib/socket/frames';

export function sentMessage(item: OutboxItem, { id, conversation, position, sent_at }: Accepted): Message {
  const { client_id, owner: sender, to, body, reply_to, mentions, everyone } = item;
  const message = {
    id,
    conversation,
    sender,
    position,
    sent_at,
    body,
    client_id,
    ...(reply_to ? { reply_to } : {}),
    ...(mentions && mentions.length > 0 ? { mentions } : {}),
    ...(everyone ? { everyone } : {}),
  };
  return to === null ? { ...message, kind: 'room' } : { ...message, kind: 'direct', to };
}
