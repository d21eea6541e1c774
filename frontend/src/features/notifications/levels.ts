// The levels of being told, in words.
import type { Level } from '@/lib/tell/settings';

interface Option<T extends string> {
  value: T;
  label: string;
  hint: string;
}

export const LEVELS: Record<'direct' | 'rooms', readonly Option<Level>[]> = {
  direct: [
    { value: 'all', label: 'All messages', hint: 'Of people who write to me.' },
    { value: 'mentions', label: 'Mentions', hint: 'What names me, answers me, or has one of my keywords.' },
    { value: 'nothing', label: 'Nothing', hint: 'Unread messages are counted, silently.' },
  ],
  rooms: [
    { value: 'all', label: 'All messages', hint: 'Whatever is written there.' },
    {
      value: 'mentions',
      label: 'Mentions',
      hint: 'What names me, answers me, calls everyone, or has one of my keywords.',
    },
    { value: 'nothing', label: 'Nothing', hint: 'Unread messages are counted, silently.' },
  ],
};

export const labelOf = (level: Level): string =>
  LEVELS.rooms.find(({ value }) => value === level)?.label ?? level;
