// Who else writes just now, below the messages. Its room is always there, so that nothing moves when somebody
// begins or ends; screen readers hear once that somebody began.
import { useEffect, useRef, useState } from 'react';
import { useShallow } from 'zustand/react/shallow';

import { authorName } from '@/lib/chat/author-name';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { useWriters } from '@/lib/chat/use-presence';
import type { ConversationId } from '@/lib/http/types';
import { SpokenTyping, typingText } from '@/lib/presence/typing';

import styles from './typing-line.module.css';

export function TypingLine({ conversation }: { conversation: ConversationId }) {
  const chat = useChat();
  const writers = useWriters(conversation);
  const names = useChatState(useShallow((state) => writers.map((user) => authorName(state, user))));
  useEffect(() => chat.names.need(writers), [chat, writers]);
  const text = typingText(names);
  return (
    <div className={styles.line} data-testid="typing">
      {text !== '' && (
        <p aria-hidden="true">
          <span className={styles.pen}>
            <i />
            <i />
            <i />
          </span>
          <span dir="auto">{text}</span>
        </p>
      )}
      <Spoken key={conversation} text={text} />
    </div>
  );
}

function Spoken({ text }: { text: string }) {
  const [typing] = useState(() => new SpokenTyping());
  const region = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (region.current) region.current.textContent = typing.of(text, Date.now());
  }, [typing, text]);
  return <span ref={region} className="visually-hidden" aria-live="polite" />;
}
