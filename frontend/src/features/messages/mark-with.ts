// Ctrl+B, Ctrl+I and Ctrl+E put the marks of bold, italic and code around what is chosen, or take them away.
import type { KeyboardEvent } from 'react';

import { insertText } from './insert-text';

const MARKS: Record<string, string> = { b: '**', i: '_', e: '`' };

/** True when the key was one of these. */
export function markWith(event: KeyboardEvent<HTMLTextAreaElement>): boolean {
  const mark = MARKS[event.key.toLowerCase()];
  if (mark === undefined || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return false;
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
