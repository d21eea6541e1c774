// What components see of who is here; what they show is watched as long as they show it.
import { useEffect } from 'react';
import { useStore } from 'zustand';

import type { ConversationId, PresenceSettings, UserId } from '@/lib/http/types';

import { useChat } from './chat-context';
import type { Seen } from './presence';

/** Undefined where nothing is known; null for nobody in particular. */
export function useSeen(user: UserId | null): Seen | undefined {
  const chat = useChat();
  useEffect(() => (user === null ? undefined : chat.presence.show(user)), [chat, user]);
  return useStore(chat.presence.store, ({ people }) => (user === null ? undefined : people[user]));
}

const NOBODY: readonly UserId[] = [];

/** Who else writes in the conversation, which is open as long as this is used. */
export function useWriters(conversation: ConversationId): readonly UserId[] {
  const chat = useChat();
  useEffect(() => chat.presence.open(conversation), [chat, conversation]);
  return useStore(chat.presence.store, ({ writers }) => writers[conversation] ?? NOBODY);
}

/** How one is seen; null where nobody knows. */
export function useOwnPresence(): PresenceSettings | null {
  return useStore(useChat().ownPresence.store, ({ settings }) => settings);
}
