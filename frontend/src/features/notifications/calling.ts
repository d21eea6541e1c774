// Whether a message that came calls for the person, by what they want to be told. As long as nobody knows
// what they want, and where the server keeps none of it, every message does.
import type { ChatSession } from '@/lib/chat/chat-session';
import { textOf } from '@/lib/chat/message-text';
import { api } from '@/lib/http/api';
import type { Api } from '@/lib/http/api';
import type { Message } from '@/lib/http/types';
import { heldAt } from '@/lib/store/aside';
import { settingsOf } from '@/lib/tell/state';
import { verdict } from '@/lib/tell/verdict';
import type { Occasion } from '@/lib/tell/verdict';

type Chat = Pick<ChatSession, 'store'>;
type MessagesAt = Api['messagesAt'];

/** `named`: by an edit. */
export async function isCalling(
  chat: Chat,
  message: Message,
  named: boolean,
  messagesAt: MessagesAt = api.messagesAt,
): Promise<boolean> {
  const state = chat.store.getState();
  const { tell, me } = state;
  if (!tell) return true;
  const own = settingsOf(tell, message.conversation);
  const isRoom = message.kind !== 'direct';
  const occasion: Occasion = {
    kind: isRoom ? 'room' : message.to === message.sender ? 'notes' : 'direct',
    mine: message.sender === me.id,
    named: named || (message.mentions ?? []).includes(me.id),
    everyone: isRoom && message.everyone === true,
    answers: false,
    body: textOf(message) ?? '',
  };
  const tells = (answers: boolean) =>
    verdict({ ...occasion, answers }, tell.general, own, Date.now(), false) === 'tell';
  if (tells(false)) return true;
  // Whose message it answers is asked for only where that makes the difference.
  return message.reply_to !== undefined && tells(true) && (await isAnswerToMine(chat, message, messagesAt));
}

async function isAnswerToMine(
  chat: Chat,
  { conversation, reply_to }: Message,
  messagesAt: MessagesAt,
): Promise<boolean> {
  if (!reply_to) return false;
  const state = chat.store.getState();
  const held = heldAt(state, conversation, reply_to.position);
  if (held) return held.sender === state.me.id;
  const { messages } = await messagesAt(conversation, [reply_to.position]).catch(() => ({
    messages: [] as Message[],
  }));
  return messages[0]?.sender === state.me.id;
}
