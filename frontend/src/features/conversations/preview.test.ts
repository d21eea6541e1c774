import { expect, it } from 'vitest';

import { conversation, message } from '@/testing/builders';

import { previewOf } from './preview';

const ofBody = (body: string) =>
  previewOf(conversation({ last_message: message(1, { body }) }), 'me', '', []).text;

it.each([
  ['**bold** and _leaning_ ~~gone~~ `code`', 'bold and leaning gone code'],
  ['> said\n- one\n- two', 'said • one • two'],
  ['```rust\nfn main() {}\n```', 'fn main() {}'],
  ['2 * 3 * 4 = 24, snake_case_name, >_<', '2 * 3 * 4 = 24, snake_case_name, >_<'],
  ['~~~Pleaseeee', '~~~Pleaseeee'],
  ['```', '```'],
  // What the line has no room for does not turn marks into text, and blanks do not push the words out of it.
  [`**${'long '.repeat(80)}!**`, `${'long '.repeat(32).slice(0, 159).trimEnd()}…`],
  [`${'\n'.repeat(3_000)}a`, 'a'],
])('%j becomes %j', (body, text) => {
  expect(ofBody(body)).toBe(text);
});
