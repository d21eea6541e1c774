// All emoji to choose from. The focus can stay in the search field; arrows move the choice, Enter takes it,
// Escape closes. Loaded when it is opened for the first time.
import { useEffect, useEffectEvent, useId, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { VList } from 'virtua';
import type { VListHandle } from 'virtua';

import { isComposing } from '@/lib/keys/composing';
import { useBackCloses } from '@/lib/keys/use-back';

import { gridOf, moved, rowOf } from './emoji-grid';
import styles from './emoji-picker.module.css';
import type { Emoji } from './emoji-set';
import { recentEmoji, rememberEmoji } from './recent-emoji';

const ROW_PX = 44;

interface EmojiPickerProps {
  onPick: (char: string) => void;
  onClose: () => void;
}

export function EmojiPicker({ onPick, onClose }: EmojiPickerProps) {
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const [recent] = useState(recentEmoji);
  const grid = useMemo(() => gridOf(query, recent), [query, recent]);
  const root = useRef<HTMLDivElement>(null);
  const list = useRef<VListHandle>(null);
  const id = useId();
  const choice = grid.all[chosen];
  useOutside(root, onClose);
  useBackCloses(true, onClose);

  function pick(emoji: Emoji | undefined) {
    if (!emoji) return;
    rememberEmoji(emoji.char);
    onPick(emoji.char);
  }

  function choose(index: number) {
    setChosen(index);
    list.current?.scrollToIndex(Math.max(0, rowOf(grid, index)), { align: 'nearest' });
  }

  function onKeyDown(event: KeyboardEvent) {
    if (isComposing(event.nativeEvent)) {
      // The field stands in the form of the message.
      if (event.key === 'Enter') event.preventDefault();
      return;
    }
    const { key } = event;
    if (key === 'Escape') onClose();
    else if (key === 'Enter') pick(choice);
    // In what was typed, left and right move the caret.
    else if (key === 'ArrowUp' || key === 'ArrowDown' || (query === '' && key.startsWith('Arrow')))
      choose(moved(grid, chosen, key));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div ref={root} className={styles.picker} role="dialog" aria-label="Emoji" onKeyDown={onKeyDown}>
      <input
        type="search"
        role="combobox"
        aria-label="Find emoji"
        aria-expanded="true"
        aria-controls={`${id}-grid`}
        aria-activedescendant={choice ? `${id}-${chosen}` : undefined}
        placeholder="Find emoji"
        autoComplete="off"
        spellCheck={false}
        autoFocus
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setChosen(0);
          list.current?.scrollTo(0);
        }}
      />
      <div id={`${id}-grid`} role="listbox" aria-label="Emoji" className={styles.grid}>
        {grid.all.length === 0 ? (
          <p className={styles.nothing}>No emoji has this name.</p>
        ) : (
          <VList ref={list} itemSize={ROW_PX} className={styles.rows} data={grid.rows}>
            {(row, index) =>
              'heading' in row ? (
                <p key={index} className={styles.heading} role="presentation">
                  {row.heading}
                </p>
              ) : (
                <div key={index} className={styles.row} role="presentation">
                  {row.emoji.map((emoji, column) => (
                    <button
                      key={emoji.char}
                      id={`${id}-${row.first + column}`}
                      type="button"
                      role="option"
                      tabIndex={row.first + column === chosen ? 0 : -1}
                      aria-label={emoji.name}
                      aria-selected={row.first + column === chosen}
                      aria-posinset={row.first + column + 1}
                      aria-setsize={grid.all.length}
                      onPointerMove={() => setChosen(row.first + column)}
                      onClick={() => pick(emoji)}
                    >
                      {emoji.char}
                    </button>
                  ))}
                </div>
              )
            }
          </VList>
        )}
      </div>
      <p className={styles.name}>
        {choice && (
          <>
            <span aria-hidden="true">{choice.char}</span>{' '}
            {choice.codes[0] ? `:${choice.codes[0]}:` : choice.name}
          </>
        )}
      </p>
    </div>
  );
}

function useOutside(root: React.RefObject<HTMLElement | null>, onOutside: () => void): void {
  const outside = useEffectEvent((event: Event) => {
    const target = event.target as Element;
    if (!root.current?.contains(target) && !target.closest('[data-opens-emoji]')) onOutside();
  });
  useEffect(() => {
    const listener = (event: Event) => outside(event);
    document.addEventListener('pointerdown', listener);
    document.addEventListener('focusin', listener);
    return () => {
      document.removeEventListener('pointerdown', listener);
      document.removeEventListener('focusin', listener);
    };
  }, []);
}
