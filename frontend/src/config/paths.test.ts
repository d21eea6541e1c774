import { describe, expect, it } from 'vitest';

import { paths, targetOf } from './paths';

describe('targetOf', () => {
  it('reads the addresses that paths makes', () => {
    expect(targetOf(paths.conversation('a b'))).toEqual({ kind: 'conversation', id: 'a b', position: null });
    expect(targetOf(paths.message('c', 1_099_511_627_777))).toEqual({
      kind: 'conversation',
      id: 'c',
      position: 1_099_511_627_777,
    });
    expect(targetOf(paths.person('p'))).toEqual({ kind: 'person', id: 'p', position: null });
    expect(targetOf(paths.room('dead.letters'))).toEqual({
      kind: 'room',
      id: 'dead.letters',
      position: null,
    });
  });

  it('knows no others', () => {
    for (const path of [
      '/',
      '/login',
      '/c/',
      '/c/a/m/',
      '/c/a/m/x',
      '/u/a/m/1',
      '/r/a/m/1',
      '/rooms',
      '/c/a/b',
    ])
      expect(targetOf(path), path).toBeNull();
  });

  it('survives a broken escape', () => {
    expect(targetOf('/c/%E0%A4%A')?.id).toBe('%E0%A4%A');
  });
});
