// Hands the one ChatSession to the components, and lets them subscribe to just the part of the state that
// they show.
import { createContext, use } from 'react';
import { useStore } from 'zustand';

import type { ConversationId } from '@/lib/http/types';
import type { ChatState } from '@/lib/store/chat-state';

import type { ChatSession } from './chat-session';

const ChatContext = createContext<ChatSession | null>(null);

export const ChatProvider = ChatContext.Provider;

export function useChat(): ChatSession {
  const chat = use(ChatContext);
  if (!chat) throw new Error('useChat needs a ChatProvider around it');
  return chat;
}

export function useChatState<T>(selector: (state: ChatState) => T): T {
  return useStore(useChat().store, selector);
}

export function useDraft(conversation: ConversationId): string {
  return useStore(useChat().drafts.store, (drafts) => drafts[conversation] ?? '');
}
