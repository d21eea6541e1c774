// Somebody who is named, by the name that they have now; marked when it is oneself, or everybody.
import { useEffect } from 'react';

import { useChat, useChatState } from '@/lib/chat/chat-context';
import { mentionName } from '@/lib/chat/mentions';
import { EVERYONE, partsOf } from '@/lib/markup/mention-token';

import styles from '../message-extras.module.css';

export function Mention({ id }: { id: string }) {
  const chat = useChat();
  const name = useChatState((state) => mentionName(state, id));
  const me = useChatState((state) => id === state.me.id || id === EVERYONE);
  useEffect(() => {
    if (id !== EVERYONE) chat.names.need([id]);
  }, [chat, id]);
  return (
    <bdi className={me ? `${styles.mention} ${styles.me}` : styles.mention} data-testid="mention">
      @{name}
    </bdi>
  );
}

/** A text in which people may be named. */
export function NamedText({ text }: { text: string }) {
  return partsOf(text).map((part, key) =>
    'mention' in part ? <Mention key={key} id={part.mention} /> : part.text,
  );
}
