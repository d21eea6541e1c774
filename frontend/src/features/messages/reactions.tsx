// What people put to a message, below it: how many, whether oneself, and by name who. Pressing one puts one's
// own to it, or takes it back.
import { useEffect } from 'react';

import { authorName } from '@/lib/chat/author-name';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import type { Message } from '@/lib/http/types';
import type { Reaction } from '@/lib/timeline/change';

import { useDeeds, useRights } from './deeds';
import styles from './message-extras.module.css';

export function Reactions({ message }: { message: Message }) {
  const { reactions } = message;
  return reactions && reactions.length > 0 ? <Chips message={message} reactions={reactions} /> : null;
}

function Chips({ message, reactions }: { message: Message; reactions: readonly Reaction[] }) {
  const chat = useChat();
  const rights = useRights(message);
  const { conversation } = useDeeds();
  const { id, position } = message;
  useEffect(() => chat.names.need(reactions.flatMap(({ users }) => users)), [chat, reactions]);
  return (
    <ul className={styles.reactions} aria-label="Reactions">
      {reactions.map((reaction) => (
        <li key={reaction.emoji}>
          <Chip
            reaction={reaction}
            disabled={rights?.react !== true}
            onPress={() =>
              chat.do(conversation, {
                does: 'react',
                target: { position, id },
                emoji: reaction.emoji,
                on: !reaction.mine,
              })
            }
          />
        </li>
      ))}
    </ul>
  );
}

function Chip({
  reaction,
  disabled,
  onPress,
}: {
  reaction: Reaction;
  disabled: boolean;
  onPress: () => void;
}) {
  const { emoji, count, mine } = reaction;
  const who = useChatState((state) => {
    const named = reaction.users.map((id) => (id === state.me.id ? 'You' : authorName(state, id)));
    const others = count - named.length;
    const all = others > 0 ? [...named, `${others} more`] : named;
    return all.length < 2 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1) ?? ''}`;
  });
  return (
    <button
      type="button"
      className={styles.chip}
      aria-pressed={mine}
      aria-label={`${emoji} ${count}: ${who}`}
      title={who}
      disabled={disabled}
      onClick={onPress}
    >
      <span className={styles.emoji}>{emoji}</span>
      <span>{count}</span>
    </button>
  );
}
