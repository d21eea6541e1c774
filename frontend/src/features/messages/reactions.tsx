// What people put to a message, below it: how many, whether oneself, and by name who. Pressing one puts one's
// own to it, or takes it back; a pointer or the keyboard on it shows the names, and a finger that rests on it
// leads to all of them.
import { useEffect, useId, useRef, useState } from 'react';
import type { FocusEvent, KeyboardEvent, MouseEvent, PointerEvent } from 'react';

import { authorName } from '@/lib/chat/author-name';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import { hasLists } from '@/lib/chat/message-rights';
import type { Message } from '@/lib/http/types';
import type { Reaction } from '@/lib/timeline/change';

import { useDeeds, useRights } from './deeds';
import styles from './message-extras.module.css';
import type { Layer } from './message-layers';
import { listed, ReactorTip } from './reactor-tip';
import { useLongPress } from './use-long-press';

/** A pointer that only passes by shows nothing. */
const REST_MS = 350;

interface ReactionsProps {
  message: Message;
  onLayer: (layer: Layer) => void;
}

export function Reactions({ message, onLayer }: ReactionsProps) {
  const { reactions } = message;
  return reactions && reactions.length > 0 ? (
    <Chips message={message} reactions={reactions} onLayer={onLayer} />
  ) : null;
}

function Chips({ message, reactions, onLayer }: ReactionsProps & { reactions: readonly Reaction[] }) {
  const chat = useChat();
  const rights = useRights(message);
  const lists = useChatState((state) => hasLists(state.limits));
  const { conversation } = useDeeds();
  const { id, position } = message;
  useEffect(() => chat.names.need(reactions.flatMap(({ users }) => users)), [chat, reactions]);
  return (
    <ul className={styles.reactions} aria-label="Reactions">
      {reactions.map((reaction) => (
        <li key={reaction.emoji}>
          <Chip
            message={message}
            reaction={reaction}
            // Nobody may react here: it still shows who did.
            disabled={rights?.react !== true}
            onPress={() =>
              chat.do(conversation, {
                does: 'react',
                target: { position, id },
                emoji: reaction.emoji,
                on: !reaction.mine,
              })
            }
            onAll={() => lists && onLayer({ kind: 'reactors', emoji: reaction.emoji })}
          />
        </li>
      ))}
    </ul>
  );
}

interface ChipProps {
  message: Message;
  reaction: Reaction;
  disabled: boolean;
  onPress: () => void;
  /** To all who did. */
  onAll: () => void;
}

function Chip({ message, reaction, disabled, onPress, onAll }: ChipProps) {
  const { emoji, count, mine } = reaction;
  const button = useRef<HTMLButtonElement>(null);
  const tip = useTip();
  const id = useId();
  /** The click that ends a long press presses nothing. */
  const rested = useRef(false);
  const press = useLongPress(() => {
    rested.current = true;
    tip.hide();
    onAll();
  }, '');
  const who = useChatState((state) => {
    const named = reaction.users.map((user) => (user === state.me.id ? 'You' : authorName(state, user)));
    const others = count - named.length;
    return listed(others > 0 ? [...named, `${others} more`] : named);
  });
  return (
    <>
      <button
        ref={button}
        type="button"
        className={styles.chip}
        aria-pressed={mine}
        aria-label={`${emoji} ${count}: ${who}`}
        aria-describedby={tip.shown ? id : undefined}
        aria-disabled={disabled || undefined}
        {...press}
        {...tip.events}
        onPointerDown={(event) => {
          // The message's own long press is for the rest of it.
          event.stopPropagation();
          rested.current = false;
          press.onPointerDown(event);
        }}
        onContextMenu={(event: MouseEvent) => {
          press.onContextMenu(event);
          if (rested.current) event.preventDefault();
        }}
        onClick={() => {
          if (!disabled && !rested.current) onPress();
        }}
      >
        <span className={styles.emoji}>{emoji}</span>
        <span>{count}</span>
      </button>
      {tip.shown && <ReactorTip id={id} message={message} reaction={reaction} at={button} />}
    </>
  );
}

/** Shown while a pointer rests on it or the keyboard's focus is there; Escape hides it. */
function useTip() {
  const [shown, setShown] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const hide = () => {
    clearTimeout(timer.current);
    setShown(false);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (!shown) return;
    // It stands at a place of the screen, and what it belongs to moves on.
    window.addEventListener('scroll', hide, { capture: true, passive: true });
    return () => window.removeEventListener('scroll', hide, { capture: true });
  }, [shown]);
  return {
    shown,
    hide,
    events: {
      onPointerEnter: ({ pointerType }: PointerEvent) => {
        if (pointerType === 'touch') return;
        clearTimeout(timer.current);
        timer.current = setTimeout(() => setShown(true), REST_MS);
      },
      onPointerLeave: hide,
      onFocus: ({ currentTarget }: FocusEvent) => {
        if (currentTarget.matches(':focus-visible')) setShown(true);
      },
      onBlur: hide,
      onKeyDown: (event: KeyboardEvent) => {
        if (event.key !== 'Escape' || !shown) return;
        event.preventDefault();
        event.stopPropagation();
        hide();
      },
    },
  };
}
