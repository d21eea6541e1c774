// Who `@name` can mean, and which keys the list of them takes.
import { act, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { ChatProvider } from '@/lib/chat/chat-context';
import type { ChatSession } from '@/lib/chat/chat-session';
import { fakeChat } from '@/testing/fake-chat';

import { useMentionCompletion } from './use-mention-completion';

// The page of the tests does not edit by commands: then the text is put in directly.
Object.defineProperty(document, 'execCommand', { value: () => false });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function Field() {
  const mention = useMentionCompletion('c', true);
  return (
    <>
      <textarea onChange={({ target }) => mention.look(target)} onKeyDown={mention.onKeyDown} />
      <output>{mention.found.map(({ username }) => username).join()}</output>
    </>
  );
}

function write(value: string): HTMLTextAreaElement {
  const { chat } = fakeChat();
  const known = Object.assign(chat, { names: { told: () => undefined } }) as ChatSession;
  render(
    <ChatProvider value={known}>
      <Field />
    </ChatProvider>,
  );
  const area = screen.getByRole<HTMLTextAreaElement>('textbox');
  type(area, value);
  return area;
}

const type = (area: HTMLTextAreaElement, value: string) =>
  act(() => void fireEvent.change(area, { target: { value } }));
const found = () => screen.getByRole('status').textContent;
/** False: the key was for the list. */
const goesOn = (area: HTMLTextAreaElement, key: string) => fireEvent.keyDown(area, { key });

it('leaves Enter alone until somebody moves in the list', () => {
  const area = write('hello @an');
  expect(found()).toBe('anna');
  expect(goesOn(area, 'Enter')).toBe(true);
  expect(area.value).toBe('hello @an');
  expect(goesOn(area, 'ArrowDown')).toBe(false);
  expect(goesOn(area, 'Enter')).toBe(false);
  expect(area.value).toBe('hello @anna ');
});

it('takes the first one at Tab, and Escape leaves the list', () => {
  const area = write('@an');
  expect(goesOn(area, 'Escape')).toBe(false);
  expect(found()).toBe('');
  expect(goesOn(area, 'Tab')).toBe(true);
  type(area, '@ann');
  expect(goesOn(area, 'Tab')).toBe(false);
  expect(area.value).toBe('@anna ');
});

it.each([
  'franz@an',
  'https://a.example/?to=@an',
  'www.a.example/(@an',
  '`run @an',
  '```\n@an',
  '~~~py\nx = 1\n @an',
  'a.@an',
])('asks for nobody in %s', (text) => {
  write(text);
  expect(found()).toBe('');
});

it('asks again behind code and addresses', () => {
  for (const text of ['`a` @an', '```\na\n```\n@an', 'https://a.example @an', 'it`s\n@an']) {
    document.body.replaceChildren();
    write(text);
    expect(found(), text).toBe('anna');
  }
});
