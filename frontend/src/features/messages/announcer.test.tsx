import { render } from '@testing-library/react';
import { expect, it } from 'vitest';

import { message } from '@/testing/builders';

import { Announcer } from './announcer';

it('says what arrives in plain words, without the marks of the text', () => {
  const said = (body: string, position: number) => (
    <Announcer newest={message(position, { body })} me="me" name="Anna" />
  );
  const { container, rerender } = render(said('before', 1));
  expect(container.textContent).toBe('');
  rerender(said('**Now**:\n1. `a`\n2. [b](https://a.example/)', 2));
  expect(container.textContent).toBe('Anna: Now:\n1. a\n2. b');
});
