import { afterEach, expect, it } from 'vitest';

import { fakeTabs, loneTab } from '@/testing/fake-tabs';

import { createDraftStore } from './drafts';

afterEach(() => localStorage.clear());

it('keeps what was typed for the next page, per owner', () => {
  const first = createDraftStore('me', loneTab());
  first.set('anna', 'half a sent');
  first.set('ben', 'x');
  first.set('ben', '');
  first.dispose();
  const next = createDraftStore('me', loneTab());
  expect(next.store.getState()).toEqual({ anna: 'half a sent' });
  expect(createDraftStore('other', loneTab()).store.getState()).toEqual({});
  next.clear();
  expect(localStorage.length).toBe(0);
});

it('survives storage that holds nonsense', () => {
  localStorage.setItem('milena.drafts.me', '{"anna":7,"ben":"b"');
  expect(createDraftStore('me', loneTab()).store.getState()).toEqual({});
  localStorage.setItem('milena.drafts.me', '{"anna":7,"ben":"b"}');
  expect(createDraftStore('me', loneTab()).store.getState()).toEqual({ ben: 'b' });
});

it('is the same in all tabs, and none loses what another one keeps', () => {
  const [here, there] = fakeTabs(2).map((tab) => createDraftStore('me', tab));
  here!.set('anna', 'from here');
  there!.set('ben', 'from there');
  here!.dispose();
  expect(there!.store.getState()).toEqual({ anna: 'from here', ben: 'from there' });
  there!.dispose();
  const next = createDraftStore('me', loneTab());
  expect(next.store.getState()).toEqual({ anna: 'from here', ben: 'from there' });
});

it('keeps what is being typed here against what was typed there', () => {
  const [here, there] = fakeTabs(2).map((tab) => createDraftStore('me', tab));
  here!.set('anna', 'old');
  there!.set('anna', 'newer');
  here!.dispose();
  expect(there!.store.getState()).toEqual({ anna: 'newer' });
});
