// `:name:` while typing: the list of what it can become, and its keys. The emoji are loaded with the first question.
import { useEffect, useState } from 'react';
import type { KeyboardEvent } from 'react';

import { askedEmoji } from './completion';
import type { Asked } from './completion';
import type { Emoji } from './emoji-set';
import { insertText } from '../insert-text';
import { loadEmoji } from './lazy';

const SHOWN = 7;

export interface EmojiCompletion {
  found: Emoji[];
  chosen: number;
  /** After each change of the text or the caret. */
  look: (area: HTMLTextAreaElement) => void;
  /** True when the key was for the list. */
  onKeyDown: (event: KeyboardEvent<HTMLTextAreaElement>) => boolean;
  take: (emoji: Emoji, area: HTMLTextAreaElement) => void;
  close: () => void;
}

export function useEmojiCompletion(): EmojiCompletion {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [answer, setAnswer] = useState<{ query: string; found: Emoji[] }>({ query: '', found: [] });
  const [chosen, setChosen] = useState(0);
  const query = asked?.query ?? '';
  const found = asked && answer.query === query ? answer.found : NONE;

  useEffect(() => {
    if (query === '') return;
    let current = true;
    const ask = async () => {
      const { searchEmoji } = await loadEmoji();
      if (!current) return;
      setAnswer({ query, found: searchEmoji(query, SHOWN) });
      setChosen(0);
    };
    // Without the list one can still write.
    ask().catch(() => undefined);
    return () => {
      current = false;
    };
  }, [query]);

  function take(emoji: Emoji, area: HTMLTextAreaElement) {
    if (asked) insertText(area, `${emoji.char} `, asked.from, area.selectionStart);
    setAsked(null);
  }

  /** A closing colon takes the emoji that is called exactly so. */
  async function closed({ query: code, from }: Asked, area: HTMLTextAreaElement) {
    const { value, selectionStart: caret } = area;
    const emoji = (await loadEmoji()).byCode.get(code);
    if (emoji && area.value === value) insertText(area, emoji.char, from, caret);
  }

  return {
    found,
    chosen,
    look: (area) => {
      const now =
        area.selectionStart === area.selectionEnd ? askedEmoji(area.value, area.selectionStart) : null;
      setAsked(now?.closed ? null : now);
      if (now?.closed) closed(now, area).catch(() => undefined);
    },
    onKeyDown: (event) => {
      const picked = found[chosen];
      if (!picked || event.nativeEvent.isComposing) return false;
      const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
      if (step !== 0) setChosen((chosen + step + found.length) % found.length);
      else if (event.key === 'Escape') setAsked(null);
      else if ((event.key === 'Enter' && !event.shiftKey) || event.key === 'Tab')
        take(picked, event.currentTarget);
      else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
    take,
    close: () => setAsked(null),
  };
}

const NONE: Emoji[] = [];
