// Where one writes. What is typed is a draft from the first letter on; Enter sends, Shift+Enter breaks the line.
import { useLayoutEffect, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';

import { IconButton } from '@/components/ui/button';
import { BODY_MAX_CHARS, countChars } from '@/config/limits';
import { useChat, useDraft } from '@/lib/chat/chat-context';

import styles from './composer.module.css';

/** The count is shown when this few characters are left. */
const COUNT_BELOW = 500;

interface ComposerProps {
  to: string;
  name: string;
  onSent: () => void;
}

export function Composer({ to, name, onSent }: ComposerProps) {
  const chat = useChat();
  const text = useDraft(to);
  const [full, setFull] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const body = bodyOf(text);
  const left = BODY_MAX_CHARS - countChars(body);

  useLayoutEffect(() => fit(area.current), [text]);

  function send() {
    if (body === '' || left < 0) return;
    const taken = chat.send(to, body);
    setFull(!taken);
    if (!taken) return;
    chat.drafts.set(to, '');
    onSent();
    area.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent) {
    // While an input method composes, Enter chooses a character.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing || touchOnly()) return;
    event.preventDefault();
    send();
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
      {left < COUNT_BELOW && (
        <p className={left < 0 ? styles.problem : styles.count} role="status">
          {left < 0 ? `${-left} characters too long` : `${left} characters left`}
        </p>
      )}
      <div className={styles.box}>
        <textarea
          ref={area}
          rows={1}
          dir="auto"
          value={text}
          placeholder={`Write to ${name}`}
          aria-label={`Message to ${name}`}
          autoFocus={!touchOnly()}
          onChange={(event) => chat.drafts.set(to, event.target.value)}
          onKeyDown={onKeyDown}
        />
        <IconButton
          type="submit"
          icon="send"
          label="Send"
          className={styles.send}
          disabled={body === '' || left < 0}
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

/** As high as its text, up to the limit of the style sheet. */
function fit(area: HTMLTextAreaElement | null): void {
  if (!area) return;
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight}px`;
}

function touchOnly(): boolean {
  return window.matchMedia('(pointer: coarse) and (hover: none)').matches;
}
