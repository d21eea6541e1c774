// What one may do with a message, so that nothing is offered that the server would refuse: the rules of
// crates/timeline, which has the last word.
import type { Message, Room, UserId } from '@/lib/http/types';
import type { Limits } from '@/lib/socket/frames';
import type { ChatState } from '@/lib/store/chat-state';
import { isMessage } from '@/lib/timeline/event';

import { rightsIn } from './room-rights';

export interface MessageRights {
  reply: boolean;
  react: boolean;
  edit: boolean;
  pin: boolean;
  delete: boolean;
  /** See what it said before, if the server keeps that. */
  history: boolean;
}

export const NO_RIGHTS: MessageRights = {
  reply: false,
  react: false,
  edit: false,
  pin: false,
  delete: false,
  history: false,
};

/** Whether the server knows of a message's life at all. */
export const changesMessages = (limits: Limits | null): boolean => limits?.mentions_max !== undefined;

/** Whether the server lists what is pinned, who reacted, and what names one. */
export const hasLists = (limits: Limits | null): boolean => limits?.pins_max !== undefined;

/** Whether one sees in it who has read what: whoever does not show it sees nobody's either. */
export const hasReceipts = (room: Room | null, { limits, me }: Pick<ChatState, 'limits' | 'me'>): boolean =>
  room?.role != null && room.members <= (limits?.receipts_members_max ?? 0) && me.show_receipts !== false;

/** Until when one's own message can be edited; null: for ever. */
export function editableUntilMs({ sent_at }: Pick<Message, 'sent_at'>, limits: Limits | null): number | null {
  const limitMs = limits?.edit_limit_ms ?? null;
  return limitMs === null ? null : Date.parse(sent_at) + limitMs;
}

/** `room`: null between two people. */
export function rightsOn(
  message: Message,
  room: Room | null,
  me: UserId,
  limits: Limits | null,
  nowMs = Date.now(),
): MessageRights {
  if (!changesMessages(limits) || message.deleted || !isMessage(message)) return NO_RIGHTS;
  const mine = message.sender === me;
  const until = editableUntilMs(message, limits);
  const inTime = until === null || nowMs < until;
  const { write, moderate } = room ? rightsIn(room) : { write: true, moderate: false };
  const inside = room === null || (room.role !== null && !room.archived);
  return {
    reply: write,
    react: inside,
    edit: mine && inside && inTime,
    pin: write,
    // Also in a room that is closed, but not from outside.
    delete: room?.role !== null && (mine || moderate),
    history: message.edited !== undefined && (mine || moderate),
  };
}
