import { describe, expect, it } from 'vitest';

import { shortcuts } from '@/config/shortcuts';
import type { Shortcut } from '@/config/shortcuts';

import { ariaOf, labelsOf, matches, typesText } from './combo';
import type { KeyPress } from './combo';

function press(key: string, held: Partial<KeyPress> = {}): KeyPress {
  return { key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held };
}

describe('combinations', () => {
  it('match exactly their keys', () => {
    expect(matches('Mod+K', press('k', { ctrlKey: true }), false)).toBe(true);
    expect(matches('Mod+K', press('K', { ctrlKey: true }), false)).toBe(true);
    expect(matches('Mod+K', press('k', { metaKey: true }), true)).toBe(true);
    for (const held of [
      {},
      { metaKey: true },
      { ctrlKey: true, altKey: true },
      { ctrlKey: true, shiftKey: true },
    ])
      expect(matches('Mod+K', press('k', held), false), JSON.stringify(held)).toBe(false);
    expect(matches('Alt+ArrowDown', press('ArrowDown', { altKey: true, shiftKey: true }), false)).toBe(false);
  });

  it('find a symbol wherever the keyboard has it', () => {
    expect(matches('?', press('?', { shiftKey: true }), false)).toBe(true);
    expect(matches('?', press('?'), false)).toBe(true);
    // German: Shift+7.
    expect(matches('Mod+/', press('/', { ctrlKey: true, shiftKey: true }), false)).toBe(true);
    expect(matches('?', press('?', { ctrlKey: true }), false)).toBe(false);
  });

  it('are written as on the keyboard', () => {
    expect(labelsOf('Alt+Shift+ArrowDown', false)).toEqual(['Alt', 'Shift', '↓']);
    expect(labelsOf('Mod+K', true)).toEqual(['⌘', 'K']);
    expect(ariaOf(['Mod+K'])).toBe('Control+K');
    expect(typesText('?')).toBe(true);
    expect(typesText('Mod+/')).toBe(false);
  });
});

describe('the table', () => {
  it('gives no combination to two things that work everywhere', () => {
    const all: Shortcut[] = Object.values(shortcuts);
    const global = all.filter(({ local }) => !local).flatMap(({ keys }) => keys);
    expect(new Set(global).size).toBe(global.length);
  });
});
