import { afterEach, expect, it } from 'vitest';

import { createDraftStore } from './drafts';

afterEach(() => localStorage.clear());

it('keeps what was typed for the next page, per owner', () => {
  const first = createDraftStore('me');
  first.set('anna', 'half a sent');
  first.set('ben', 'x');
  first.set('ben', '');
  first.dispose();
  const next = createDraftStore('me');
  expect(next.store.getState()).toEqual({ anna: 'half a sent' });
  expect(createDraftStore('other').store.getState()).toEqual({});
  next.clear();
  expect(localStorage.length).toBe(0);
});

it('survives storage that holds nonsense', () => {
  localStorage.setItem('milena.drafts.me', '{"anna":7,"ben":"b"');
  expect(createDraftStore('me').store.getState()).toEqual({});
  localStorage.setItem('milena.drafts.me', '{"anna":7,"ben":"b"}');
  expect(createDraftStore('me').store.getState()).toEqual({ ben: 'b' });
});
