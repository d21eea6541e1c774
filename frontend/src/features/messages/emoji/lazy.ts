// The emoji and their picker come when they are wanted. A fetch that failed is tried again by the next wish.
import { lazy } from 'react';

type EmojiSet = typeof import('./emoji-set');

let set: Promise<EmojiSet> | null = null;

export function loadEmoji(): Promise<EmojiSet> {
  set ??= import('./emoji-set').catch((error: unknown) => {
    set = null;
    throw error;
  });
  return set;
}

export const EmojiPicker = lazy(async () => ({ default: (await import('./emoji-picker')).EmojiPicker }));
