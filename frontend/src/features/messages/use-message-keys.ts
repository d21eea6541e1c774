// The keyboard in the list: arrows move from message to message, letters and Escape go back to writing.
import { useState } from 'react';
import type { FocusEvent, KeyboardEvent, RefObject } from 'react';
import type { VirtualizerHandle } from 'virtua';

import { useChat } from '@/lib/chat/chat-context';
import { isComposing } from '@/lib/keys/composing';

import { copyText } from '@/lib/clipboard/copy-text';
import { rowText } from './row-text';
import type { Row } from './rows';

interface MessageKeys {
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
  onFocus: (event: FocusEvent<HTMLElement>) => void;
  onBlur: () => void;
  /**
   * The row with the focus and the rows beside it: they stay in the document, however far one scrolls. A key
   * that is held down comes faster than rows do, and its next press would find none to go to.
   */
  keep: number[];
}

export function useMessageKeys(
  rows: readonly Row[],
  scroller: RefObject<HTMLDivElement | null>,
  virtualizer: RefObject<VirtualizerHandle | null>,
  onWrite: () => void,
): MessageKeys {
  const chat = useChat();
  const [focused, setFocused] = useState<string | null>(null);
  const at = focused === null ? -1 : rows.findIndex((row) => row.key === focused);

  function focusRow(index: number) {
    const key = rows[index]?.key;
    if (key === undefined) return;
    const find = () =>
      scroller.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;
    const element = find();
    if (element) {
      element.focus();
      return;
    }
    virtualizer.current?.scrollToIndex(index, { align: 'nearest' });
    requestAnimationFrame(() => find()?.focus());
  }

  /** From outside of the messages the way goes to the last one that is in view. */
  function inView(): number {
    const element = scroller.current;
    const end = element ? element.scrollTop + element.clientHeight - 1 : 0;
    return Math.min(rows.length - 1, virtualizer.current?.findItemIndex(end) ?? 0);
  }

  function onKeyDown(event: KeyboardEvent<HTMLElement>) {
    const { target, key } = event;
    const own = target === scroller.current || (target as HTMLElement).dataset.key !== undefined;
    if (!own || event.altKey || isComposing(event.nativeEvent)) return;
    if (event.ctrlKey || event.metaKey) {
      const copies = key === 'c' && at >= 0 && String(window.getSelection()) === '';
      const row = rows[at];
      if (copies && row) void copyText(rowText(row, chat.store.getState()));
    } else if (key === 'ArrowUp' || key === 'ArrowDown') {
      event.preventDefault();
      const to = at < 0 ? inView() : at + (key === 'ArrowUp' ? -1 : 1);
      if (to >= rows.length) onWrite();
      else focusRow(to);
    } else if (key === 'Escape' || (key.length === 1 && key !== ' ')) {
      // The letter itself lands where the focus is now.
      onWrite();
    }
  }

  return {
    onKeyDown,
    onFocus: (event) => setFocused(event.target.closest<HTMLElement>('[data-key]')?.dataset.key ?? null),
    onBlur: () => setFocused(null),
    keep: at < 0 ? NONE : [at - 1, at, at + 1].filter((index) => index in rows),
  };
}

const NONE: number[] = [];
