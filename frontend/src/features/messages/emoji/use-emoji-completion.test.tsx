// The keys of the list while it has not come.
import { act, fireEvent, render, screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';

import type { Emoji } from './emoji-set';
import { useEmojiCompletion } from './use-emoji-completion';

interface Loaded {
  searchEmoji: (query: string, limit: number) => Emoji[];
}

const loading = vi.hoisted(() => ({ asked: [] as ((loaded: Loaded) => void)[] }));
vi.mock('./lazy', () => ({
  loadEmoji: () => new Promise<Loaded>((resolve) => loading.asked.push(resolve)),
}));

const SMILE: Emoji = { char: '😄', name: 'smile', group: 0, codes: ['smile'], words: [] };

// The page of the tests does not edit by commands: then the text is put in directly.
Object.defineProperty(document, 'execCommand', { value: () => false });

function Field() {
  const emoji = useEmojiCompletion();
  return (
    <>
      <textarea onChange={({ target }) => emoji.look(target, null)} onKeyDown={emoji.onKeyDown} />
      <output>{emoji.found.map(({ char }) => char)}</output>
    </>
  );
}

function write(value: string): HTMLTextAreaElement {
  loading.asked = [];
  render(<Field />);
  const area = screen.getByRole<HTMLTextAreaElement>('textbox');
  fireEvent.change(area, { target: { value } });
  return area;
}

const come = (found: Emoji[]) =>
  act(async () => {
    for (const resolve of loading.asked) resolve({ searchEmoji: () => found });
    await Promise.resolve();
  });
/** False: the key was for the list. */
const goesOn = (area: HTMLTextAreaElement, key: string) => fireEvent.keyDown(area, { key });

it('takes the first at the first Tab, as soon as the list comes', async () => {
  const area = write(':smi');
  expect(goesOn(area, 'Tab')).toBe(false);
  await come([SMILE]);
  expect(area.value).toBe('😄 ');
});

it.each([['Tab'], ['Escape']])(
  'is left by %s while it does not come, and takes nothing then',
  async (key) => {
    const area = write(':smi');
    expect(goesOn(area, 'Tab')).toBe(false);
    expect(goesOn(area, key)).toBe(true);
    expect(goesOn(area, 'Tab')).toBe(true);
    await come([SMILE]);
    expect(area.value).toBe(':smi');
    expect(screen.getByRole('status').textContent).toBe('');
  },
);

it('lets Tab through when nothing was found', async () => {
  const area = write(':smi');
  await come([]);
  expect(goesOn(area, 'Tab')).toBe(true);
});
