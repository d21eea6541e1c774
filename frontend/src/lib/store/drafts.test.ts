import { afterEach, describe, expect, it, vi } from 'vitest';

import { directConversation } from '@/lib/ids/direct-conversation';
import type { TabNews } from '@/lib/tabs/tab-channel';
import { to } from '@/testing/builders';
import { fakeTabs, loneTab } from '@/testing/fake-tabs';

import { createDraftStore } from './drafts';

const KEY = 'milena.drafts.by-conversation.me';

afterEach(() => localStorage.clear());

it('keeps what was typed for the next page, per owner', () => {
  const first = createDraftStore('me', loneTab());
  first.set(to('anna'), 'half a sent');
  first.set(to('ben'), 'x');
  first.set(to('ben'), '');
  first.dispose();
  const next = createDraftStore('me', loneTab());
  expect(next.store.getState()).toEqual({ c: 'half a sent' });
  expect(createDraftStore('other', loneTab()).store.getState()).toEqual({});
  next.clear();
  expect(localStorage.length).toBe(0);
});

it('survives storage that holds nonsense', () => {
  localStorage.setItem(KEY, '{"anna":7,"ben":"b"');
  expect(createDraftStore('me', loneTab()).store.getState()).toEqual({});
  localStorage.setItem(KEY, '{"anna":7,"ben":"b"}');
  expect(createDraftStore('me', loneTab()).store.getState()).toEqual({ ben: 'b' });
});

it('is the same in all tabs, and none loses what another one keeps', () => {
  const [here, there] = fakeTabs(2).map((tab) => createDraftStore('me', tab));
  here!.set(to('anna'), 'from here');
  there!.set(to('ben'), 'from there');
  here!.dispose();
  expect(there!.store.getState()).toEqual({ c: 'from here', 'c-ben': 'from there' });
  there!.dispose();
  const next = createDraftStore('me', loneTab());
  expect(next.store.getState()).toEqual({ c: 'from here', 'c-ben': 'from there' });
});

it('keeps what is being typed here against what was typed there', () => {
  const [here, there] = fakeTabs(2).map((tab) => createDraftStore('me', tab));
  here!.set(to('anna'), 'old');
  there!.set(to('anna'), 'newer');
  here!.dispose();
  expect(there!.store.getState()).toEqual({ c: 'newer' });
});

describe('drafts of the first version, which were kept by person', () => {
  const [owner, anna, ben] = ['1', '2', '3'].map((n) => `0192f0c1-0000-7000-8000-00000000000${n}`);
  const old = `milena.drafts.${owner!}`;
  const chat = directConversation(owner!, anna!)!;

  it('are taken over, once, under those of this version', () => {
    localStorage.setItem(old, JSON.stringify({ [anna!]: 'half a letter', [ben!]: 'x', nonsense: 'y' }));
    const first = createDraftStore(owner!, loneTab());
    const bens = directConversation(owner!, ben!)!;
    expect(first.store.getState()).toEqual({ [chat]: 'half a letter', [bens]: 'x' });
    expect(localStorage.getItem(old)).toBeNull();
    first.set({ conversation: bens, to: ben! }, '');
    first.dispose();
    expect(createDraftStore(owner!, loneTab()).store.getState()).toEqual({ [chat]: 'half a letter' });
    // A tab of the first version wrote once more.
    localStorage.setItem(old, JSON.stringify({ [anna!]: 'older', [ben!]: 'new' }));
    const next = createDraftStore(owner!, loneTab());
    expect(next.store.getState()).toEqual({ [chat]: 'half a letter', [bens]: 'new' });
  });

  it('stay where they are when there is no room for them yet', () => {
    localStorage.setItem(old, JSON.stringify({ [anna!]: 'half a letter' }));
    const kept = localStorage;
    const removeItem = vi.fn();
    const setItem = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    vi.stubGlobal('localStorage', { getItem: (key: string) => kept.getItem(key), setItem, removeItem });
    expect(createDraftStore(owner!, loneTab()).store.getState()).toEqual({ [chat]: 'half a letter' });
    vi.unstubAllGlobals();
    expect(removeItem).not.toHaveBeenCalled();
  });

  it('are the same in a tab of that version and in one of this', () => {
    const [here, there] = fakeTabs(2);
    const drafts = createDraftStore(owner!, here!);
    const heard: TabNews[] = [];
    there!.listen((news) => heard.push(news));
    there!.post({ kind: 'draft', to: anna!, text: 'from the old one' });
    expect(drafts.store.getState()).toEqual({ [chat]: 'from the old one' });
    drafts.set({ conversation: chat, to: anna! }, 'from the new one');
    drafts.dispose();
    expect(heard).toEqual([{ kind: 'draft', conversation: chat, to: anna, text: 'from the new one' }]);
  });
});
