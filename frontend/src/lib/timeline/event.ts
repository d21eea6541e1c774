// What stands in a conversation: somebody's words, or what happened in the room. Both are kept in one window,
// in one order, in the same shape.
import type { Message, TimelineEvent, Told } from '@/lib/http/types';

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
  const words = { ...item, ...toldOf(event), ...(body === undefined ? {} : { body }) };
  return to === undefined ? { ...words, kind: 'room' } : { ...words, kind: 'direct', to };
}

const TOLD = [
  'reply_to',
  'mentions',
  'everyone',
  'edited',
  'deleted',
  'pinned',
  'reactions',
  'changed',
] as const satisfies readonly (keyof Told)[];

function toldOf(event: Told): Told {
  return Object.fromEntries(TOLD.flatMap((key) => (event[key] === undefined ? [] : [[key, event[key]]])));
}

/** Somebody's words, which count as unread. */
export const isMessage = ({ event }: Message): boolean => event === undefined;

/** Everybody whom it names by id. */
export function namedIn({ sender, event, mentions = [], deleted, reactions = [] }: Message): string[] {
  const { user, users = [], members = [] } = event ?? {};
  const said = [...mentions, ...(deleted ? [deleted.by] : []), ...reactions.flatMap((one) => one.users)];
  return [
    sender,
    ...said,
    ...(user === undefined ? [] : [user]),
    ...users,
    ...members.map((member) => member.user),
  ];
}
