import { describe, expect, it } from 'vitest';

import { displayNameError, newPasswordError, usernameError } from './account-rules';

describe('the rules of the form are those of the server', () => {
  it.each(['abc', 'Franz.K_1-2', 'x'.repeat(32)])('username %s is good', (name) => {
    expect(usernameError(name)).toBeNull();
  });

  it.each(['', 'ab', 'x'.repeat(33), 'franz k', 'käfer', '名字名字'])('username “%s” is not', (name) => {
    expect(usernameError(name)).not.toBeNull();
  });

  it('refuses what needs no list to be known as weak', () => {
    for (const weak of ['        ', 'aaaaaaaa', 'abababab', 'AaAaBbBb'])
      expect(newPasswordError(weak)).toBe('At least 4 different characters.');
    expect(newPasswordError('Franz.Kafka', 'franz.kafka', '')).toBe('Not your own name.');
    expect(newPasswordError('Franz.Kafka', 'milena', '')).toBeNull();
  });

  it('counts characters, not code units', () => {
    expect(newPasswordError('🔑'.repeat(7))).toBe('1 more to go.');
    expect(newPasswordError('🔑🗝️🔐🔒'.repeat(2))).toBeNull();
    expect(newPasswordError('wxyz'.repeat(65))).toBe('At most 256 characters.');
    expect(displayNameError('名'.repeat(64))).toBeNull();
    expect(displayNameError('名'.repeat(65))).not.toBeNull();
    expect(displayNameError('a\tb')).not.toBeNull();
    expect(displayNameError('a\u202eb')).not.toBeNull();
    expect(displayNameError('\u3164')).not.toBeNull();
    expect(displayNameError('')).toBeNull();
  });
});
