// Does something when the keys of a shortcut are pressed, wherever the focus is. Not while a dialog is open:
// that has the keys to itself.
import { useEffect, useEffectEvent } from 'react';

import { shortcuts } from '@/config/shortcuts';
import type { ShortcutId } from '@/config/shortcuts';

import { matches, typesText } from './combo';
import { isComposing } from './composing';

export function useShortcut(id: ShortcutId, action: () => void): void {
  const act = useEffectEvent(action);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isComposing(event) || document.querySelector('dialog[open]')) return;
      const combo = shortcuts[id].keys.find((keys) => matches(keys, event));
      if (combo === undefined || (typesText(combo) && isWriting(event.target))) return;
      event.preventDefault();
      act();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [id]);
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null
  );
}
