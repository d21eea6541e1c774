// Messages as they will be when the server has taken what one did with them; what it refused is not in them.
import type { Message, UserId } from '@/lib/http/types';
import type { OutboxItem } from '@/lib/outbox/outbox-item';
import type { Reaction } from '@/lib/timeline/change';

/** The same array when nothing is under way. */
export function withPending(
  messages: readonly Message[],
  pending: readonly OutboxItem[],
  me: UserId,
): readonly Message[] {
  const byTarget = new Map<number, OutboxItem[]>();
  for (const item of pending) {
    if (!item.deed || item.status === 'failed') continue;
    const { position } = item.deed.target;
    byTarget.set(position, [...(byTarget.get(position) ?? []), item]);
  }
  if (byTarget.size === 0) return messages;
  return messages.map((message) => {
    const items = message.deleted || message.event ? undefined : byTarget.get(message.position);
    return items ? items.reduce((now, item) => after(now, item, me), message) : message;
  });
}

function after(message: Message, { deed, body }: OutboxItem, me: UserId): Message {
  const { position } = message;
  switch (deed?.does) {
    case 'edit':
      return {
        ...message,
        body,
        mentions: deed.mentions ?? [],
        edited: message.edited ?? position,
        waiting: true,
      };
    case 'delete':
      return { ...message, body: '', reactions: [], deleted: { position, by: me }, waiting: true };
    case 'react':
      return { ...message, reactions: reacted(message.reactions ?? [], deed.emoji, deed.on, me) };
    case 'pin': {
      const { pinned: _, ...rest } = message;
      return deed.on ? { ...rest, pinned: position } : rest;
    }
    case undefined:
      return message;
  }
}

function reacted(reactions: readonly Reaction[], emoji: string, on: boolean, me: UserId): Reaction[] {
  const known = reactions.find((one) => one.emoji === emoji);
  if ((known?.mine ?? false) === on) return [...reactions];
  const others = known?.users.filter((user) => user !== me) ?? [];
  const now: Reaction = {
    emoji,
    count: (known?.count ?? 0) + (on ? 1 : -1),
    mine: on,
    users: on ? [...others, me] : others,
  };
  const all = known ? reactions.map((one) => (one === known ? now : one)) : [...reactions, now];
  return all.filter(({ count }) => count > 0);
}
