import { expect, it } from 'vitest';

import { directConversation } from './direct-conversation';

const user = (n: number) => `00000000-0000-0000-0000-${n.toString(16).padStart(12, '0')}`;

it('is what the server reckons', () => {
  // Written down in crates/domain/src/ids.rs, too.
  expect(directConversation(user(1), user(2))).toBe('14259dc6-baa2-86ca-9d01-88697c2268e1');
});

it('is the same from both sides, however the ids are written', () => {
  const high = 'ffffffff-0000-7000-8000-0000000000ab';
  expect(directConversation(high.toUpperCase(), user(1))).toBe(directConversation(user(1), high));
  expect(directConversation(user(1), user(1))).not.toBe(directConversation(user(1), user(2)));
});

it('is none for what is no person', () => {
  expect(directConversation(user(1), 'anna')).toBeNull();
  expect(directConversation('', user(1))).toBeNull();
});
