// Arrow keys walk through the rows of a list, from one row's first link or button to the next one's.
import type { KeyboardEvent } from 'react';

export function walkList(event: KeyboardEvent<HTMLElement>): void {
  const { key, altKey, ctrlKey, metaKey, shiftKey } = event;
  if ((key !== 'ArrowDown' && key !== 'ArrowUp') || altKey || ctrlKey || metaKey || shiftKey) return;
  const item = document.activeElement?.closest('li');
  const next = key === 'ArrowDown' ? item?.nextElementSibling : item?.previousElementSibling;
  // What stands for the row, where there is more in it.
  const target =
    next?.querySelector<HTMLElement>('[data-row]') ?? next?.querySelector<HTMLElement>('a, button');
  if (!target) return;
  event.preventDefault();
  target.focus();
}
