// Of what one wants to be told, as this page knows it, and what the server's word makes of that. Every change
// has a number: one that is out of turn says that something was missed.
import type { ConversationId, Notifications } from '@/lib/http/types';
import type { NotificationsFrame } from '@/lib/socket/frames';

import { isMuted, OF_CONVERSATION } from './settings';
import type { General, OfConversation } from './settings';
import { countsOf } from './verdict';

export interface TellState {
  revision: number;
  general: General;
  /** Those with settings of their own. What is muted here is muted now: `withoutEnded` sees to it. */
  of: Readonly<Record<ConversationId, OfConversation>>;
}

export const settingsOf = (tell: TellState | null, id: ConversationId): OfConversation =>
  tell?.of[id] ?? OF_CONVERSATION;

/** How many of its unread messages call for the person. */
export const callsOf = (
  tell: TellState | null,
  entry: { id: ConversationId; unread: number; mentions: number },
): number => countsOf(entry, settingsOf(tell, entry.id).muted).calls;

/** All of it, as the server has it. */
export function fromServer({ revision, conversations, ...general }: Notifications, nowMs: number): TellState {
  const of = Object.fromEntries(
    conversations.map(({ conversation, ...settings }) => [conversation, settings]),
  );
  return withoutEnded({ revision, general, of }, nowMs);
}

/** Null: something was missed, all of it has to be asked for. What is known already changes nothing. */
export function afterChange(known: TellState, change: Omit<NotificationsFrame, 'type'>): TellState | null {
  const { revision, general, conversation, settings } = change;
  if (revision <= known.revision) return known;
  if (revision > known.revision + 1) return null;
  if (general) return { ...known, revision, general };
  if (conversation === undefined || !settings) return null;
  return { ...known, revision, of: { ...known.of, [conversation]: settings } };
}

/** Mutes that are over are gone. */
export function withoutEnded(tell: TellState, nowMs: number): TellState {
  const ended = Object.entries(tell.of).filter(([, own]) => own.muted && !isMuted(own, nowMs));
  if (ended.length === 0) return tell;
  const now = ended.map(([id, own]) => [id, { ...own, muted: false, muted_until: null }] as const);
  return { ...tell, of: { ...tell.of, ...Object.fromEntries(now) } };
}

/** When the next mute is over; Infinity when none will be. */
export function nextEndMs(tell: TellState): number {
  const ends = Object.values(tell.of).flatMap(({ muted, muted_until }) =>
    muted && muted_until !== null ? [Date.parse(muted_until)] : [],
  );
  return ends.reduce((first, end) => Math.min(first, end), Infinity);
}
