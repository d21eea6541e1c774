// Ctrl+B, Ctrl+I and Ctrl+E put the marks of bold, italic and code around what is chosen, or take them away.
import type { KeyboardEvent } from 'react';

import { shortcuts } from '@/config/shortcuts';
import { matches } from '@/lib/keys/combo';

import { insertText } from './insert-text';

const MARKS = [
  [shortcuts.bold, '**'],
  [shortcuts.italic, '_'],
  [shortcuts.code, '`'],
] as const;

/** True when the key was one of these. */
export function markWith(event: KeyboardEvent<HTMLTextAreaElement>): boolean {
  const mark = MARKS.find(([{ keys }]) => keys.some((combo) => matches(combo, event)))?.[1];
  if (mark === undefined) return false;
  event.preventDefault();
  const area = event.currentTarget;
  const { value, selectionStart: from, selectionEnd: to } = area;
  const length = mark.length;
  const marked =
    value.slice(Math.max(0, from - length), from) === mark && value.slice(to, to + length) === mark;
  const chosen = value.slice(from, to);
  const start = marked ? from - length : from + length;
  if (marked) insertText(area, chosen, from - length, to + length);
  else insertText(area, mark + chosen + mark, from, to);
  area.setSelectionRange(start, start + chosen.length);
  return true;
}
