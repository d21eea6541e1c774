import { describe, expect, it } from 'vitest';

import { displayNameError, newPasswordError, usernameError } from './account-rules';

describe('the rules of the form are those of the server', () => {
  it.each(['abc', 'Franz.K_1-2', 'x'.repeat(32)])('username %s is good', (name) => {
    expect(usernameError(name)).toBeNull();
  });

  it.each(['', 'ab', 'x'.repeat(33), 'franz k', 'käfer', '名字名字'])('username “%s” is not', (name) => {
    expect(usernameError(name)).not.toBeNull();
  });

  it('counts characters, not code units', () => {
    expect(newPasswordError('🔑'.repeat(7))).toBe('1 more to go.');
    expect(newPasswordError('🔑'.repeat(8))).toBeNull();
    expect(newPasswordError('x'.repeat(257))).not.toBeNull();
    expect(displayNameError('名'.repeat(64))).toBeNull();
    expect(displayNameError('名'.repeat(65))).not.toBeNull();
    expect(displayNameError('a\tb')).not.toBeNull();
    expect(displayNameError('a\u202eb')).not.toBeNull();
    expect(displayNameError('\u3164')).not.toBeNull();
    expect(displayNameError('')).toBeNull();
  });
});
