import { expect, it } from 'vitest';

import { highlight } from './highlight';
import type { CodePart } from './highlight';

const textOf = (parts: CodePart[]): string =>
  parts.map((part) => (typeof part === 'string' ? part : textOf(part.parts))).join('');

it('colours what it knows, and loses nothing', () => {
  const code = 'fn main() { // <b>\n    let x = "1";\n}';
  for (const language of ['rust', 'rs', 'ts', 'toml']) expect(textOf(highlight(code, language)!)).toBe(code);
  expect(highlight(code, 'rust')).toContainEqual({ kind: 'keyword', parts: ['fn'] });
});

it('leaves other languages alone', () => {
  expect(highlight('x', 'klingon')).toBeNull();
  expect(highlight('x', '__proto__')).toBeNull();
});
