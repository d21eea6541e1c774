// Who put one emoji to a message. Asked for anew when their number changes.
import type { ChatSession } from '@/lib/chat/chat-session';
import type { Message } from '@/lib/http/types';

import type { Somebody } from './people-dialog';
import { usePages } from './use-pages';
import type { Pages } from './use-pages';

const PAGE = 50;

export function useReactors(
  chat: ChatSession,
  { conversation, position }: Message,
  emoji: string,
  count: number,
): Pages<Somebody> {
  return usePages(`${conversation} ${position} ${count} ${emoji}`, async (after) => {
    const page = { emoji, limit: PAGE, ...(after === undefined ? {} : { after }) };
    const { reactions, next, complete } = await chat.reactors(conversation, position, page);
    return { items: reactions.map(({ user }) => ({ id: user })), next, complete };
  });
}
