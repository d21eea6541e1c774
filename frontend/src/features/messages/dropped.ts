// What is pasted into the page or dropped on it: what cannot be sent yet is said, and nothing opens in the
// place of the page.
import { useEffect, useEffectEvent } from 'react';

import { BODY_MAX_CHARS } from '@/config/limits';

/** Several messages that one takes apart; so much more than that only makes the page slow. */
const TAKEN_MAX_CHARS = 5 * BODY_MAX_CHARS;

export const NO_FILES = 'Pictures and other files cannot be sent yet.';

/** Pasted or dropped. */
export function whyNotTaken(data: DataTransfer): string | null {
  const text = data.getData('text/plain');
  if (text.length > TAKEN_MAX_CHARS)
    return `${text.length} characters are too many to take: a message has at most ${BODY_MAX_CHARS}.`;
  // With text beside it, as from a table, the text is meant.
  return data.files.length > 0 && text === '' ? NO_FILES : null;
}

/** A file that is dropped anywhere would open in the place of the page. */
export function useDroppedFiles(onFiles: () => void): void {
  const told = useEffectEvent(onFiles);
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    };
    const dropped = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      told();
    };
    window.addEventListener('dragover', over);
    window.addEventListener('drop', dropped);
    return () => {
      window.removeEventListener('dragover', over);
      window.removeEventListener('drop', dropped);
    };
  }, []);
}
