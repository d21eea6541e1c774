// `:name:` while typing: the list of what it can become, and its keys. Enter belongs to the list only when
// somebody moved in it; what was not chosen is sent as it was typed.
import { useEffect, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';

import { isComposing } from '@/lib/keys/composing';

import { insertText } from '../insert-text';
import { askedEmoji } from './completion';
import type { Asked } from './completion';
import { emojiOf } from './emoji-codes';
import type { Emoji } from './emoji-set';
import { loadEmoji } from './lazy';

const SHOWN = 7;

export interface EmojiCompletion {
  found: Emoji[];
  /** Null until somebody moves in the list. */
  chosen: number | null;
  /** After each change of the text; `typed` is the character that made it, if one did. */
  look: (area: HTMLTextAreaElement, typed: string | null) => void;
  /** True when the key was for the list. */
  onKeyDown: (event: KeyboardEvent<HTMLTextAreaElement>) => boolean;
  take: (emoji: Emoji, area: HTMLTextAreaElement) => void;
  close: () => void;
}

export function useEmojiCompletion(): EmojiCompletion {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [answer, setAnswer] = useState<{ query: string; found: Emoji[] }>({ query: '', found: [] });
  const [chosen, setChosen] = useState<number | null>(null);
  /** For what a Tab waits. */
  const awaited = useRef<Asked | null>(null);
  const query = asked?.query ?? '';
  const answered = answer.query === query;
  const found = asked && answered ? answer.found : NONE;

  useEffect(() => {
    if (query === '') return;
    let current = true;
    void search(query).then((emoji) => {
      if (!current) return;
      setAnswer({ query, found: emoji });
      setChosen(null);
    });
    return () => {
      current = false;
    };
  }, [query]);

  function take(emoji: Emoji, area: HTMLTextAreaElement) {
    if (asked) insertText(area, `${emoji.char} `, asked.from, area.selectionStart);
    close();
  }

  function close() {
    awaited.current = null;
    setAsked(null);
  }

  /** Tab before the list has come means the same as with it. */
  async function takeFirst(area: HTMLTextAreaElement) {
    const { value } = area;
    awaited.current = asked;
    const [first] = await search(query);
    if (awaited.current !== asked) return;
    awaited.current = null;
    if (first && area.value === value) take(first, area);
  }

  function move(by: number) {
    const from = chosen ?? (by > 0 ? -1 : 0);
    setChosen((from + by + found.length) % found.length);
  }

  return {
    found,
    chosen,
    look: (area, typed) => {
      const now =
        area.selectionStart === area.selectionEnd ? askedEmoji(area.value, area.selectionStart) : null;
      setAsked(now?.closed ? null : now);
      // A closing colon that was typed, not one that was pasted or comes into reach by deleting.
      const char = now?.closed && typed === ':' ? emojiOf(now.query) : undefined;
      if (now && char !== undefined) insertText(area, char, now.from, area.selectionStart);
    },
    onKeyDown: (event) => {
      const { key, currentTarget: area } = event;
      const held = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
      if (!asked || held || isComposing(event.nativeEvent)) return false;
      const picked = found[chosen ?? 0];
      // A list that does not come holds nobody: Escape ends the waiting, a second Tab goes where Tab goes.
      if (!picked && (key === 'Escape' || awaited.current === asked)) {
        if (key === 'Escape' || key === 'Tab') close();
        return false;
      }
      if (key === 'Tab' && !answered) void takeFirst(area);
      else if (!picked) return false;
      else if (key === 'ArrowDown' || key === 'ArrowUp') move(key === 'ArrowDown' ? 1 : -1);
      else if (key === 'Escape') close();
      else if (key === 'Tab' || (key === 'Enter' && chosen !== null)) take(picked, area);
      else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
    take,
    close,
  };
}

const NONE: Emoji[] = [];

/** Nothing is found when the emoji cannot be loaded: without the list one can still write. */
async function search(query: string): Promise<Emoji[]> {
  try {
    const { searchEmoji } = await loadEmoji();
    return searchEmoji(query, SHOWN);
  } catch {
    return NONE;
  }
}
