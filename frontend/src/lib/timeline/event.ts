// What stands in a conversation: somebody's words, or what happened in the room. Both are kept in one window,
// in one order, in the same shape.
import type { Message, TimelineEvent } from '@/lib/http/types';

/** An event as it is kept: a message like any other, everything else with what it says in `event`. */
export function itemOf(event: TimelineEvent): Message {
  const { id, conversation, actor, position, at, client_id, kind, body, to } = event;
  const item = {
    id,
    conversation,
    sender: actor,
    position,
    sent_at: at,
    ...(client_id === undefined ? {} : { client_id }),
  };
  if (kind !== 'message') return { ...item, kind, event };
  const words = { ...item, ...(body === undefined ? {} : { body }) };
  return to === undefined ? { ...words, kind: 'room' } : { ...words, kind: 'direct', to };
}

/** Somebody's words, which count as unread. */
export const isMessage = ({ event }: Message): boolean => event === undefined;

/** Everybody whom it names by id. */
export function namedIn({ sender, event }: Message): string[] {
  const { user, users = [], members = [] } = event ?? {};
  return [sender, ...(user === undefined ? [] : [user]), ...users, ...members.map((member) => member.user)];
}
