// Only the rows in view are in the document. What goes beyond the view works on the data instead: text copied
// over several messages is made from the rows between the first and the last one chosen, and for printing all
// of them are drawn.
import { useEffect, useEffectEvent, useState } from 'react';
import type { RefObject } from 'react';
import { flushSync } from 'react-dom';

import { authorName } from '@/lib/chat/author-name';
import { useChat } from '@/lib/chat/chat-context';
import { dateTime } from '@/lib/time/format';

import { rowText } from './row-text';
import type { Row } from './rows';

/** The rows that must stay in the document besides those in view, ascending. */
export function useWholeList(
  rows: readonly Row[],
  scroller: RefObject<HTMLElement | null>,
): readonly number[] {
  const chat = useChat();
  const [printing, setPrinting] = useState(false);
  /** The rows in which a choice of text begins and ends: without them the browser would let go of it. */
  const [ends, setEnds] = useState('');

  const copy = useEffectEvent((event: ClipboardEvent) => {
    const [first, last] = scroller.current ? chosenRows(rows, scroller.current) : [0, 0];
    if (first >= last) return;
    const names = chat.store.getState();
    const lines = rows.slice(first, last + 1).map((row) => {
      const time = dateTime(row.sentAtMs);
      const text = rowText(row, names);
      return row.quiet ? `${time}: ${text}` : `${authorName(names, row.sender)}, ${time}: ${text}`;
    });
    event.clipboardData?.setData('text/plain', lines.join('\n'));
    event.preventDefault();
  });
  const choose = useEffectEvent(() => {
    const selection = window.getSelection();
    const inside = selection?.isCollapsed === false ? [selection.anchorNode, selection.focusNode] : [];
    const keys = inside.flatMap((node) => rowOf(node, scroller.current)?.dataset.key ?? []);
    setEnds(keys.sort().join('\n'));
  });
  // The browser takes its picture of the page as soon as the listener is done.
  const print = useEffectEvent((on: boolean) => flushSync(() => setPrinting(on)));

  useEffect(() => {
    const listeners = new AbortController();
    const options = { signal: listeners.signal };
    document.addEventListener('copy', (event) => copy(event), options);
    document.addEventListener('selectionchange', () => choose(), options);
    window.addEventListener('beforeprint', () => print(true), options);
    window.addEventListener('afterprint', () => print(false), options);
    return () => listeners.abort();
  }, []);

  if (printing) return rows.map((_, index) => index);
  const kept = new Set(ends.split('\n'));
  return ends === '' ? NONE : rows.flatMap(({ key }, index) => (kept.has(key) ? index : []));
}

const NONE: readonly number[] = [];

function rowOf(node: Node | null, scroller: HTMLElement | null): HTMLElement | null {
  const element = node instanceof Element ? node : (node?.parentElement ?? null);
  return scroller?.contains(element) === true ? (element?.closest<HTMLElement>('[data-key]') ?? null) : null;
}

/** Between which rows, both included, text is chosen; beyond the list it goes on to its ends. */
function chosenRows(rows: readonly Row[], scroller: HTMLElement): [first: number, last: number] {
  const selection = window.getSelection();
  const writing = document.activeElement?.matches('input, textarea') === true;
  if (!selection || selection.isCollapsed || writing) return [0, 0];
  const range = selection.getRangeAt(0);
  const mounted = [...scroller.querySelectorAll<HTMLElement>('[data-key]')].filter((element) =>
    hasTextOf(element, range),
  );
  if (mounted.length < 2) return [0, 0];
  const index = (element: HTMLElement | undefined) =>
    rows.findIndex(({ key }) => key === element?.dataset.key);
  const inside = (node: Node) => scroller.contains(node);
  return [
    inside(range.startContainer) ? index(mounted[0]) : 0,
    inside(range.endContainer) ? index(mounted.at(-1)) : rows.length - 1,
  ];
}

/** A choice of whole paragraphs ends before the first letter of the next message. */
function hasTextOf(element: HTMLElement, range: Range): boolean {
  if (!range.intersectsNode(element)) return false;
  const within = document.createRange();
  within.selectNodeContents(element);
  if (within.comparePoint(range.startContainer, range.startOffset) === 0)
    within.setStart(range.startContainer, range.startOffset);
  if (within.comparePoint(range.endContainer, range.endOffset) === 0)
    within.setEnd(range.endContainer, range.endOffset);
  return within.toString() !== '';
}
