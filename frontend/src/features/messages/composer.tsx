// Where one writes. What is typed is a draft from the first letter on; Enter sends, Shift+Enter breaks the
// line.
import { Suspense, useEffect, useEffectEvent, useId, useLayoutEffect, useState } from 'react';
import type { KeyboardEvent, RefObject } from 'react';

import { IconButton } from '@/components/ui/button';
import { BODY_MAX_CHARS, countChars } from '@/config/limits';
import { useChat, useDraft } from '@/lib/chat/chat-context';
import { isComposing } from '@/lib/keys/composing';
import { isVisible } from '@/lib/names/fold';
import type { Destination } from '@/lib/outbox/destination';

import styles from './composer.module.css';
import { EmojiSuggestions } from './emoji/emoji-suggestions';
import { insertText } from './insert-text';
import { EmojiPicker } from './emoji/lazy';
import { useEmojiCompletion } from './emoji/use-emoji-completion';
import { markWith } from './mark-with';

/** The count is shown when this few characters are left. */
const COUNT_BELOW = 500;
/** Several messages that one takes apart; so much more than that only makes the page slow. */
const TAKEN_MAX_CHARS = 5 * BODY_MAX_CHARS;
/** More than this is higher than the box may be. */
const MEASURED_CHARS = 20_000;

interface ComposerProps {
  area: RefObject<HTMLTextAreaElement | null>;
  destination: Destination;
  name: string;
  onSent: () => void;
}

export function Composer({ area, destination, name, onSent }: ComposerProps) {
  const chat = useChat();
  const text = useDraft(destination.conversation);
  const [full, setFull] = useState(false);
  /** Why what was pasted or dropped is not here. */
  const [refused, setRefused] = useState<string | null>(null);
  const [picking, setPicking] = useState(false);
  const emoji = useEmojiCompletion();
  const id = useId();
  const body = bodyOf(text);
  /** The server refuses for good what nobody sees. */
  const blank = !isVisible(body);
  const left = BODY_MAX_CHARS - countChars(body);
  const suggests = emoji.found.length > 0;

  useLayoutEffect(() => fit(area.current), [area, text]);
  useFitToWidth(area);
  useCaretAtEnd(area);
  useDroppedFiles(() => setRefused(NO_FILES));

  function send() {
    if (blank || left < 0) return;
    const taken = chat.send(destination, body);
    setFull(!taken);
    if (!taken) return;
    chat.drafts.set(destination, '');
    emoji.close();
    onSent();
    area.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    if (emoji.onKeyDown(event) || markWith(event)) return;
    if (event.key !== 'Enter' || event.shiftKey || isComposing(event.nativeEvent) || touchOnly()) return;
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
      {suggests && (
        <EmojiSuggestions
          id={id}
          found={emoji.found}
          chosen={emoji.chosen}
          onTake={(chosen) => area.current && emoji.take(chosen, area.current)}
        />
      )}
      <div className={styles.box}>
        <textarea
          ref={area}
          rows={1}
          dir="auto"
          value={text}
          placeholder={`Write to ${name}`}
          aria-label={`Message to ${name}`}
          aria-autocomplete="list"
          aria-controls={suggests ? id : undefined}
          aria-activedescendant={suggests && emoji.chosen !== null ? `${id}-${emoji.chosen}` : undefined}
          autoFocus={!touchOnly() && !writingElsewhere()}
          onChange={(event) => {
            chat.drafts.set(destination, event.target.value);
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
          onBlur={emoji.close}
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
          icon="send"
          label="Send"
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

/**
 * As high as its text, up to the limit of the style sheet. Measured without a moment in which the box is low:
 * the messages above would become higher for it, and scroll.
 */
function fit(area: HTMLTextAreaElement | null): void {
  const box = area?.parentElement;
  if (!area || !box) return;
  // Of so much text the height is known, and finding it out takes long.
  if (area.value.length > MEASURED_CHARS) {
    area.style.height = '100vh';
    return;
  }
  const { scrollTop } = area;
  box.style.minHeight = `${box.offsetHeight}px`;
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight}px`;
  box.style.minHeight = '';
  area.scrollTop = scrollTop;
}

const NO_FILES = 'Pictures and other files cannot be sent yet.';

/** Pasted or dropped. */
function whyNotTaken(data: DataTransfer): string | null {
  const text = data.getData('text/plain');
  if (text.length > TAKEN_MAX_CHARS)
    return `${text.length} characters are too many to take: a message has at most ${BODY_MAX_CHARS}.`;
  // With text beside it, as from a table, the text is meant.
  return data.files.length > 0 && text === '' ? NO_FILES : null;
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

/** A file that is dropped anywhere would open in the place of the page. */
function useDroppedFiles(onFiles: () => void): void {
  const told = useEffectEvent(onFiles);
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    };
    const dropped = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      told();
    };
    window.addEventListener('dragover', over);
    window.addEventListener('drop', dropped);
    return () => {
      window.removeEventListener('dragover', over);
      window.removeEventListener('drop', dropped);
    };
  }, []);
}

/** Another width breaks the lines elsewhere, and so do other letters. */
function useFitToWidth(area: RefObject<HTMLTextAreaElement | null>): void {
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    let width = element.clientWidth;
    const refit = () => fit(element);
    const observer = new ResizeObserver(() => {
      if (element.clientWidth === width) return;
      width = element.clientWidth;
      refit();
    });
    observer.observe(element);
    document.fonts.addEventListener('loadingdone', refit);
    return () => {
      observer.disconnect();
      document.fonts.removeEventListener('loadingdone', refit);
    };
  }, [area]);
}

/** A conversation that appears while somebody types a search does not take the keys away. */
function writingElsewhere(): boolean {
  return document.activeElement instanceof HTMLInputElement;
}

function touchOnly(): boolean {
  return window.matchMedia('(pointer: coarse) and (hover: none)').matches;
}
