// What is written in the composer of a conversation, what it is for, and what is sent of it.
import { useEffect } from 'react';
import { useStore } from 'zustand';

import { useChat, useDraft } from '@/lib/chat/chat-context';
import { mayCallEveryone, toTokens } from '@/lib/chat/mentions';
import type { NamedText } from '@/lib/chat/mentions';
import { changesMessages } from '@/lib/chat/message-rights';
import type { Writing } from '@/lib/chat/writing';
import type { ConversationId } from '@/lib/http/types';
import type { Destination } from '@/lib/outbox/destination';
import type { OutboxContent } from '@/lib/outbox/outbox-item';
import type { ChatState } from '@/lib/store/chat-state';

import { useMessageAt } from './deeds';

/** What is written here, and what it is for. */
export function useWriting(destination: Destination) {
  const chat = useChat();
  const { conversation } = destination;
  const draft = useDraft(conversation);
  const writing = useStore(chat.writing.store, (all) => all[conversation] ?? null);
  const message = useMessageAt(conversation, writing?.target.position ?? null);
  const gone = writing?.kind === 'edit' && message?.deleted !== undefined;
  // Somebody has deleted it meanwhile: there is nothing left to edit.
  useEffect(() => {
    if (gone) chat.writing.set(conversation, null);
  }, [chat, conversation, gone]);
  return {
    writing,
    text: writing?.kind === 'edit' ? writing.text : draft,
    change: (text: string) => {
      if (writing?.kind === 'edit') chat.writing.set(conversation, { ...writing, text });
      else chat.drafts.set(destination, text);
    },
    leave: () => writing && chat.writing.set(conversation, null),
  };
}

/** Whom it names, of all whom this page knows. */
export function named(state: ChatState, conversation: ConversationId, body: string): NamedText {
  if (!changesMessages(state.limits)) return { body, mentions: [], everyone: false };
  return toTokens(body, Object.values(state.people), mayCallEveryone(state, conversation));
}

export const contentOf = (
  { body, mentions, everyone }: NamedText,
  writing: Writing | null,
): OutboxContent => ({
  body,
  ...(mentions.length > 0 ? { mentions } : {}),
  ...(everyone ? { everyone } : {}),
  ...(writing?.kind === 'reply' ? { reply_to: writing.target } : {}),
});
