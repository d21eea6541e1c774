// What is said later of a message, from wherever this page hears of it: a frame, an event of the room, or the
// server's yes to what one did oneself.
import type { Message, Target, TimelineEvent, UserId } from '@/lib/http/types';
import type { OutboxItem } from '@/lib/outbox/outbox-item';
import type { Accepted, ChangeFrame } from '@/lib/socket/frames';
import type { Change } from '@/lib/timeline/change';
import { itemOf } from '@/lib/timeline/event';

export function changeOfFrame(frame: ChangeFrame): Change {
  const common = { at: frame.position, target: frame.target.position, by: frame.actor };
  switch (frame.type) {
    case 'edited':
      return { ...common, kind: 'edited', body: frame.body, mentions: frame.mentions ?? [] };
    case 'deleted':
      return { ...common, kind: 'deleted', ...(frame.reason === undefined ? {} : { reason: frame.reason }) };
    case 'reacted':
      return { ...common, kind: 'reacted', emoji: frame.emoji, on: frame.on };
  }
}

/** Null: it changes no message. */
export function changeOfEvent({ kind, position, actor, target, on }: TimelineEvent): Change | null {
  if (kind !== 'pinned' || !target) return null;
  return { kind: 'pinned', at: position, target: target.position, by: actor, on: on ?? true };
}

/** One's own, which the server has accepted. Where it was so already, `accepted` says since when. */
export function changeOfItem({ deed, owner, body }: OutboxItem, accepted: Accepted): Change | null {
  if (!deed) return null;
  const common = { at: accepted.position, target: deed.target.position, by: owner };
  switch (deed.does) {
    case 'edit':
      return { ...common, kind: 'edited', body, mentions: deed.mentions ?? [] };
    case 'delete':
      return { ...common, kind: 'deleted' };
    case 'react':
      return { ...common, kind: 'reacted', emoji: deed.emoji, on: deed.on };
    case 'pin':
      return { ...common, kind: 'pinned', on: deed.on };
  }
}

/** The quiet line of one's own pin. */
export function pinnedItem({ owner, client_id, conversation }: OutboxItem, accepted: Accepted, of: PinDeed) {
  const { id, position, sent_at: at } = accepted;
  const { target, on } = of;
  return itemOf({ id, conversation, kind: 'pinned', actor: owner, position, at, client_id, target, on });
}

interface PinDeed {
  target: Target;
  on: boolean;
}

/** Of a message that was told anew, what an older answer must not undo. */
export function lastChangesOf(message: Message): Change[] {
  const { deleted, edited, position: target, body = '', mentions = [], sender } = message;
  if (deleted) return [{ kind: 'deleted', at: deleted.position, target, by: deleted.by }];
  return edited === undefined ? [] : [{ kind: 'edited', at: edited, target, by: sender, body, mentions }];
}

/** Whether somebody is named by a change. */
export const names = (change: Change, user: UserId): boolean =>
  change.kind === 'edited' && (change.mentions ?? []).includes(user);
