import { describe, expect, it } from 'vitest';

import { nextOf, paths } from './paths';

describe('the address after the sign-in', () => {
  it('is what was asked for', () => {
    expect(nextOf('/c/1', '')).toBe('/c/1');
    expect(paths.register('/c/1')).toBe('/register?next=%2Fc%2F1');
    expect(nextOf('/register', 'next=%2Fc%2F1')).toBe('/c/1');
    expect(paths.login('/')).toBe('/login');
    expect(nextOf('/login', '')).toBe('/');
    expect(nextOf('/login', 'next=%2Fc%2F1%2Fm%2F7')).toBe('/c/1/m/7');
    expect(nextOf('//evil.example', '')).toBe('/');
  });

  it.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    '',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    '/\t\\evil.example',
    '/.//evil.example',
    '/%2e//evil.example',
    '/a/..//evil.example',
    '///evil.example',
    '\\\\evil.example',
    'c/1',
    '//[',
    '/login',
    '/register',
    '/a/../login',
    '/login?next=%2Fc%2F1',
  ])('is never %s', (next) => {
    expect(nextOf('/login', new URLSearchParams({ next }).toString())).toBe('/');
  });
});
