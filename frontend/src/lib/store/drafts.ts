// What was typed and not sent, per person addressed: kept in localStorage, so that a reload or a crash loses
// nothing, and told to the other tabs, so that all show the same and none overwrites what another one keeps.
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { UserId } from '@/lib/http/types';
import type { TabChannel } from '@/lib/tabs/tab-channel';

export type Drafts = Record<UserId, string>;

/** The oldest drafts beyond this are let go. */
const MAX_DRAFTS = 200;
const WRITE_AFTER_MS = 300;

export interface DraftStore {
  store: StoreApi<Drafts>;
  /** True: something typed would be lost with this page, because the browser did not take it. */
  readonly atRisk: boolean;
  set(to: UserId, text: string): void;
  clear(): void;
  dispose(): void;
}

export function createDraftStore(owner: UserId, tabs: TabChannel): DraftStore {
  const key = `milena.drafts.${owner}`;
  const store = createStore<Drafts>(() => read(key));
  /** What the other tabs do not know yet. */
  const changed = new Set<UserId>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let saved = true;
  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    const drafts = store.getState();
    saved = save(key, drafts);
    for (const to of changed) tabs.post({ kind: 'draft', to, text: drafts[to] ?? '' });
    changed.clear();
  };
  const put = (to: UserId, text: string) => {
    const { [to]: _, ...others } = store.getState();
    const kept = text.trim() === '' ? others : { ...others, [to]: text };
    store.setState(Object.fromEntries(Object.entries(kept).slice(-MAX_DRAFTS)), true);
  };
  const stop = tabs.listen((news) => {
    // What is being typed here right now is newer than what was typed there.
    if (news.kind === 'draft' && !changed.has(news.to)) put(news.to, news.text);
  });
  const writeIfWaiting = () => timer !== undefined && write();
  window.addEventListener('pagehide', writeIfWaiting);
  return {
    store,
    get atRisk() {
      // What still waits for its turn is tried now.
      if (timer !== undefined) write();
      return !saved;
    },
    set(to, text) {
      put(to, text);
      changed.add(to);
      timer ??= setTimeout(write, WRITE_AFTER_MS);
    },
    clear() {
      for (const to of Object.keys(store.getState())) changed.add(to);
      store.setState({}, true);
      write();
    },
    dispose() {
      writeIfWaiting();
      stop();
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

/** False when storage is full or forbidden: then the drafts live as long as the page. */
function save(key: string, drafts: Drafts): boolean {
  try {
    if (Object.keys(drafts).length === 0) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(drafts));
    return true;
  } catch {
    return Object.keys(drafts).length === 0;
  }
}
