// What the rows and the composer of one conversation can ask for: to answer, to edit, to go to another
// message and to come back from it.
import { useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { RefObject } from 'react';
import { useLocation } from 'wouter';

import { paths } from '@/config/paths';
import { useChat } from '@/lib/chat/chat-context';
import { toTyped } from '@/lib/chat/mentions';
import { rightsOn } from '@/lib/chat/message-rights';
import { textOf } from '@/lib/chat/message-text';
import type { ConversationId, Message, Position } from '@/lib/http/types';
import type { Timeline } from '@/lib/store/timeline';

import type { Deeds } from './deeds';
import type { ListControl } from './message-list';

export interface Back {
  /** Null: nobody came from anywhere. */
  to: Position | null;
  go: () => void;
}

export interface ConversationDeeds {
  all: Deeds;
  back: Back;
  /** Up in an empty composer. */
  editLast: (timeline: Timeline) => void;
}

/** `meant`: the message that the address means. */
export function useConversationDeeds(
  conversation: ConversationId,
  meant: Position | null,
  list: RefObject<ListControl | null>,
  write: () => void,
): ConversationDeeds {
  const chat = useChat();
  const [, navigate] = useLocation();
  const [from, setFrom] = useState<Position | null>(null);
  const current = useRef({ meant, write });
  useLayoutEffect(() => {
    current.current = { meant, write };
  });

  return useMemo(() => {
    const goTo = (position: Position) => {
      if (current.current.meant === position) list.current?.show(position);
      else navigate(paths.message(conversation, position));
    };
    const edit = (message: Message) => {
      const before = textOf(message) ?? '';
      const text = toTyped(before, chat.store.getState());
      const { position, id } = message;
      chat.writing.set(conversation, { kind: 'edit', target: { position, id }, text, before });
      current.current.write();
    };
    return {
      all: {
        conversation,
        edit,
        reply: ({ position, id }) => {
          chat.writing.set(conversation, { kind: 'reply', target: { position, id } });
          current.current.write();
        },
        jump: (to, back) => {
          setFrom(back);
          goTo(to);
        },
      },
      back: {
        to: from,
        go: () => {
          setFrom(null);
          if (from !== null) goTo(from);
        },
      },
      editLast: ({ messages, hasAfter }) => {
        const { me, conversations, limits } = chat.store.getState();
        const room = conversations[conversation]?.room ?? null;
        // What one sees below is not the last one where newer ones are not loaded.
        const last = hasAfter
          ? undefined
          : messages.findLast(
              (message) => message.sender === me.id && rightsOn(message, room, me.id, limits).edit,
            );
        if (last) edit(last);
      },
    };
  }, [chat, conversation, from, list, navigate]);
}
