import { expect, it } from 'vitest';

import { plainText } from './plain-text';

it.each([
  ['**bold** and _leaning_ ~~gone~~ `code`', 'bold and leaning gone code'],
  ['**_both_**', 'both'],
  ['> said\n- one\n- two', 'said\none\ntwo'],
  ['see [the page](https://example.org/a_b)', 'see the page'],
  ['```rust\nfn main() {}\n```', '\nfn main() {}\n'],
  ['2 * 3 * 4 = 24, snake_case_name', '2 * 3 * 4 = 24, snake_case_name'],
  ['a ** b, 5 > 3, -1', 'a ** b, 5 > 3, -1'],
])('%j becomes %j', (markdown, plain) => {
  expect(plainText(markdown)).toBe(plain);
});
