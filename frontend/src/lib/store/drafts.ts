// What was typed and not sent, per person addressed: kept in localStorage, so that a reload or a crash loses nothing.
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { UserId } from '@/lib/http/types';

export type Drafts = Record<UserId, string>;

/** The oldest drafts beyond this are let go. */
const MAX_DRAFTS = 200;
const WRITE_AFTER_MS = 300;

export interface DraftStore {
  store: StoreApi<Drafts>;
  set(to: UserId, text: string): void;
  clear(): void;
  dispose(): void;
}

export function createDraftStore(owner: UserId): DraftStore {
  const key = `milena.drafts.${owner}`;
  const store = createStore<Drafts>(() => read(key));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    save(key, store.getState());
  };
  const writeIfWaiting = () => timer !== undefined && write();
  window.addEventListener('pagehide', writeIfWaiting);
  return {
    store,
    set(to, text) {
      const { [to]: _, ...others } = store.getState();
      const kept = text.trim() === '' ? others : { ...others, [to]: text };
      store.setState(Object.fromEntries(Object.entries(kept).slice(-MAX_DRAFTS)), true);
      timer ??= setTimeout(write, WRITE_AFTER_MS);
    },
    clear() {
      store.setState({}, true);
      write();
    },
    dispose() {
      writeIfWaiting();
      window.removeEventListener('pagehide', writeIfWaiting);
    },
  };
}

function read(key: string): Drafts {
  try {
    const json: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    const entries = Object.entries(json as Record<string, unknown>);
    return Object.fromEntries(
      entries.filter((entry): entry is [UserId, string] => typeof entry[1] === 'string'),
    );
  } catch {
    return {};
  }
}

function save(key: string, drafts: Drafts): void {
  try {
    if (Object.keys(drafts).length === 0) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(drafts));
  } catch {
    // Storage is full or forbidden: the drafts live as long as the page.
  }
}
