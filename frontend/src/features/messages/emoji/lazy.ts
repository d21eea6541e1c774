// The emoji and their picker come when they are wanted.
import { lazy } from 'react';

import { loadOnce } from '@/lib/loading/load-once';

export const loadEmoji = loadOnce(() => import('./emoji-set'));

export const EmojiPicker = lazy(async () => ({ default: (await import('./emoji-picker')).EmojiPicker }));
