// Words of which one wants to hear wherever they are written: added one by one, taken out by a press.
import { useRef, useState } from 'react';

import { Button } from '@/components/ui/button';
import { Icon } from '@/components/ui/icon';
import { TextField } from '@/components/ui/text-field';
import { countChars } from '@/config/limits';
import { fold, isVisible } from '@/lib/names/fold';

import styles from './settings.module.css';

const MOST = 50;
const MAX_CHARS = 64;

interface KeywordsProps {
  keywords: readonly string[];
  /** False: it was not taken. */
  onChange: (keywords: readonly string[]) => Promise<boolean>;
}

export function Keywords({ keywords, onChange }: KeywordsProps) {
  const [word, setWord] = useState('');
  const list = useRef<HTMLUListElement>(null);
  const wanted = word.trim();
  const error = problemOf(wanted, keywords);

  async function add() {
    if (wanted === '' || error !== null) return;
    if (await onChange([...keywords, wanted])) setWord('');
  }

  async function remove(gone: string) {
    await onChange(keywords.filter((one) => one !== gone));
    // What had the focus is gone.
    list.current?.querySelector('button')?.focus();
  }

  return (
    <div>
      <form
        className={styles.keywords}
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <TextField
          label="Keywords"
          hint="You are told of messages with these words, in any conversation that tells you of mentions."
          value={word}
          maxLength={2 * MAX_CHARS}
          autoComplete="off"
          dir="auto"
          onChange={setWord}
          error={error}
        />
        <Button type="submit" disabled={wanted === '' || error !== null}>
          Add
        </Button>
      </form>
      {keywords.length > 0 && (
        <ul ref={list} className={styles.words} aria-label="Your keywords">
          {keywords.map((one) => (
            <li key={one}>
              <button type="button" aria-label={`Leave out ${one}`} onClick={() => void remove(one)}>
                <span dir="auto">{one}</span> <Icon name="close" size={14} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function problemOf(word: string, keywords: readonly string[]): string | null {
  if (word === '') return null;
  const count = countChars(word);
  if (count > MAX_CHARS) return `At most ${MAX_CHARS} characters: these are ${count}.`;
  if (!isVisible(word) || fold(word).trim() === '') return 'At least one character that can be seen.';
  if (keywords.some((one) => fold(one) === fold(word))) return 'You have this one already.';
  return keywords.length >= MOST ? `At most ${MOST} keywords.` : null;
}
