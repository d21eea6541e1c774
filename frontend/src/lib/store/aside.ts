// Messages that stand outside of the window on their conversation and are shown all the same: what is quoted,
// what is pinned. Changes reach them as they reach those of the window, so that no deleted words stay here.
import type { ConversationId, Message, Position } from '@/lib/http/types';
import { newest } from '@/lib/timeline/change';

import type { ChatState } from './chat-state';

/** Ascending by position. */
export type Aside = readonly Message[];

/** Beyond this the oldest are let go, those that were told just now never. */
const ASIDE_MAX = 400;

export function withAside(known: Aside, told: readonly Message[]): Aside {
  const here = new Map(known.map((message) => [message.id, message]));
  for (const message of told) {
    const before = here.get(message.id);
    // Anew at the end: it is wanted now.
    here.delete(message.id);
    here.set(message.id, before ? newest(message, before) : message);
  }
  return [...here.values()].slice(-ASIDE_MAX).sort((a, b) => a.position - b.position);
}

/** The message at this position, among those ascending by it. */
export function messageAt(messages: readonly Message[], position: Position): Message | undefined {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.position ?? 0) < position) low = middle + 1;
    else high = middle;
  }
  return messages[low]?.position === position ? messages[low] : undefined;
}

/** The message at this position, wherever the page holds it. */
export function heldAt(
  { timelines, aside, conversations }: Pick<ChatState, 'timelines' | 'aside' | 'conversations'>,
  id: ConversationId,
  position: Position,
): Message | undefined {
  const last = conversations[id]?.last_message;
  return (
    messageAt(timelines[id]?.messages ?? [], position) ??
    messageAt(aside[id] ?? [], position) ??
    (last?.position === position ? last : undefined)
  );
}
