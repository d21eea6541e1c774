// Where one writes. What is typed is a draft from the first letter on; Enter sends, Shift+Enter breaks the
// line.
import { Suspense, useEffect, useId, useLayoutEffect, useState } from 'react';
import type { KeyboardEvent, RefObject } from 'react';

import { IconButton } from '@/components/ui/button';
import { BODY_MAX_CHARS, countChars } from '@/config/limits';
import { useChat, useChatState } from '@/lib/chat/chat-context';
import type { NamedText } from '@/lib/chat/mentions';
import { changesMessages } from '@/lib/chat/message-rights';
import type { Writing } from '@/lib/chat/writing';
import { isComposing } from '@/lib/keys/composing';
import { isVisible } from '@/lib/names/fold';
import type { UserId } from '@/lib/http/types';
import type { Destination } from '@/lib/outbox/destination';

import styles from './composer.module.css';
import { fit, useFitToWidth } from './fit-area';
import { insertText } from './insert-text';
import { EmojiPicker } from './emoji/lazy';
import { useEmojiCompletion } from './emoji/use-emoji-completion';
import { NO_FILES, useDroppedFiles, whyNotTaken } from './dropped';
import { markWith } from './mark-with';
import { SuggestionList } from './suggestion-list';
import { EmojiSuggestion, PersonSuggestion } from './suggestions';
import { useMentionCompletion } from './use-mention-completion';
import { useTypingTold } from './use-typing-told';
import { contentOf, named, useWriting } from './use-writing';
import { WritingBar } from './writing-bar';

/** The count is shown when this few characters are left. */
const COUNT_BELOW = 500;

interface ComposerProps {
  area: RefObject<HTMLTextAreaElement | null>;
  destination: Destination;
  name: string;
  onSent: () => void;
  /** Whom the words that were sent or saved name. */
  onNamed: (users: readonly UserId[]) => void;
  /** Up in an empty composer: the last message of one's own is to be edited. */
  onEditLast: () => void;
}

export function Composer({ area, destination, name, onSent, onNamed, onEditLast }: ComposerProps) {
  const chat = useChat();
  const { conversation } = destination;
  const { writing, text, change, leave } = useWriting(destination);
  const [full, setFull] = useState(false);
  /** Why what was pasted or dropped is not here. */
  const [refused, setRefused] = useState<string | null>(null);
  const [picking, setPicking] = useState(false);
  const emoji = useEmojiCompletion();
  const mention = useMentionCompletion(
    conversation,
    useChatState((state) => changesMessages(state.limits)),
  );
  const tell = useTypingTold(destination);
  const id = useId();
  const body = bodyOf(text);
  /** The server refuses for good what nobody sees. */
  const blank = !isVisible(body);
  const left = BODY_MAX_CHARS - countChars(body);
  const list = mention.found.length > 0 ? mention : emoji;
  const suggests = list.found.length > 0;
  const edits = writing?.kind === 'edit';

  useLayoutEffect(() => fit(area.current), [area, text]);
  useFitToWidth(area);
  useCaretAtEnd(area);
  useDroppedFiles(() => setRefused(NO_FILES));

  function send() {
    if (blank || left < 0) return;
    const said = named(chat.store.getState(), conversation, body);
    const taken = edits ? saved(writing, said) : chat.send(destination, contentOf(said, writing));
    setFull(!taken);
    if (!taken) return;
    onNamed(said.mentions);
    leave();
    emoji.close();
    mention.close();
    if (!edits) {
      chat.drafts.set(destination, '');
      tell('');
      onSent();
    }
    area.current?.focus();
  }

  /** What was not changed is left as it is. */
  function saved({ target, before }: Extract<Writing, { kind: 'edit' }>, said: NamedText): boolean {
    const { body: words, mentions } = said;
    return words === before || chat.do(conversation, { does: 'edit', target, mentions }, words);
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (mention.onKeyDown(event) || emoji.onKeyDown(event) || markWith(event)) return;
    if (isComposing(event.nativeEvent)) return;
    if (event.key === 'Escape' && writing) {
      event.preventDefault();
      event.stopPropagation();
      leave();
    }
    const held = event.shiftKey || event.altKey || event.ctrlKey || event.metaKey;
    if (event.key === 'ArrowUp' && text === '' && !writing && !held) {
      event.preventDefault();
      onEditLast();
    }
    if (event.key !== 'Enter' || event.shiftKey || touchOnly()) return;
    event.preventDefault();
    send();
  }

  function pick(char: string) {
    setPicking(false);
    const field = area.current;
    if (field) insertText(field, char, field.selectionStart, field.selectionEnd);
  }

  return (
    <form
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {full && (
        <p className={styles.problem} role="alert">
          Too many messages wait to be sent already. Your text stays here.
        </p>
      )}
      {refused !== null && (
        <p className={styles.problem} role="alert">
          {refused}
        </p>
      )}
      {left < COUNT_BELOW && (
        <p className={left < 0 ? styles.problem : styles.count} role="status">
          {left < 0 ? `${-left} characters too long` : `${left} characters left`}
        </p>
      )}
      {picking && (
        <Suspense>
          <EmojiPicker
            onPick={pick}
            onClose={() => {
              setPicking(false);
              area.current?.focus();
            }}
          />
        </Suspense>
      )}
      {writing && (
        <WritingBar
          id={`${id}-writing`}
          conversation={conversation}
          writing={writing}
          onLeave={() => {
            leave();
            area.current?.focus();
          }}
        />
      )}
      {mention.found.length > 0 && (
        <SuggestionList
          id={id}
          label="People"
          found={mention.found}
          keyOf={({ username }) => username}
          chosen={mention.chosen}
          onTake={(chosen) => area.current && mention.take(chosen, area.current)}
        >
          {(nameable) => <PersonSuggestion nameable={nameable} />}
        </SuggestionList>
      )}
      {suggests && list === emoji && (
        <SuggestionList
          id={id}
          label="Emoji"
          found={emoji.found}
          keyOf={({ char }) => char}
          chosen={emoji.chosen}
          onTake={(chosen) => area.current && emoji.take(chosen, area.current)}
        >
          {(found) => <EmojiSuggestion emoji={found} />}
        </SuggestionList>
      )}
      <div className={styles.box}>
        <textarea
          ref={area}
          rows={1}
          dir="auto"
          value={text}
          placeholder={edits ? 'Other words for your message' : `Write to ${name}`}
          aria-label={edits ? 'Edit your message' : `Message to ${name}`}
          aria-describedby={writing ? `${id}-writing` : undefined}
          aria-autocomplete="list"
          aria-controls={suggests ? id : undefined}
          aria-activedescendant={suggests && list.chosen !== null ? `${id}-${list.chosen}` : undefined}
          autoFocus={!touchOnly() && !writingElsewhere()}
          onChange={(event) => {
            change(event.target.value);
            // What one edits is there already: nobody waits for it.
            if (!edits) tell(event.target.value);
            mention.look(event.target);
            setRefused(null);
            const { isComposing: composes, data } = event.nativeEvent as InputEvent;
            // Keyboards of phones compose every word: the list follows, but what is composed is not replaced.
            emoji.look(event.target, composes ? null : data);
          }}
          onCompositionEnd={({ currentTarget, data }) => emoji.look(currentTarget, data.slice(-1))}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const why = whyNotTaken(event.clipboardData);
            if (why === null) return;
            event.preventDefault();
            setRefused(why);
          }}
          onDrop={(event) => {
            const why = whyNotTaken(event.dataTransfer);
            if (why === null) return;
            event.preventDefault();
            setRefused(why);
          }}
          onBlur={() => {
            emoji.close();
            mention.close();
          }}
        />
        <IconButton
          icon="smile"
          label="Emoji"
          aria-expanded={picking}
          data-opens-emoji
          onClick={() => setPicking(!picking)}
        />
        <IconButton
          type="submit"
          icon={edits ? 'tick' : 'send'}
          label={edits ? 'Save' : 'Send'}
          className={styles.send}
          disabled={blank || left < 0}
        />
      </div>
    </form>
  );
}

/** What is sent: without blank lines around it, and without U+0000, which the server does not take. */
function bodyOf(text: string): string {
  return text
    .replaceAll('\0', '')
    .replace(/^\s*\n/, '')
    .trimEnd();
}

/** A draft that comes back is written on, not begun again. */
function useCaretAtEnd(area: RefObject<HTMLTextAreaElement | null>): void {
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    element.setSelectionRange(element.value.length, element.value.length);
    element.scrollTo({ top: element.scrollHeight });
  }, [area]);
}

/** A conversation that appears while somebody types a search does not take the keys away. */
function writingElsewhere(): boolean {
  return document.activeElement instanceof HTMLInputElement;
}

function touchOnly(): boolean {
  return window.matchMedia('(pointer: coarse) and (hover: none)').matches;
}
