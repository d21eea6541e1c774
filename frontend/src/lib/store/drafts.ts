// What was typed and not sent, per conversation: kept in localStorage, so that a reload or a crash loses
// nothing, and told to the other tabs, so that all show the same and none overwrites what another one keeps.
//
// Pages of the first version kept drafts per person, under another key. They are taken over from there; a tab
// of that version, still open, hears of drafts and tells them by person.
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { ConversationId, UserId } from '@/lib/http/types';
import { directConversation } from '@/lib/ids/direct-conversation';
import type { Destination } from '@/lib/outbox/destination';
import type { TabChannel, TabNews } from '@/lib/tabs/tab-channel';

export type Drafts = Record<ConversationId, string>;

/** The oldest drafts beyond this are let go. */
const MAX_DRAFTS = 200;
const WRITE_AFTER_MS = 300;

export interface DraftStore {
  store: StoreApi<Drafts>;
  /** True: something typed would be lost with this page, because the browser did not take it. */
  readonly atRisk: boolean;
  set(destination: Destination, text: string): void;
  clear(): void;
  dispose(): void;
}

export function createDraftStore(owner: UserId, tabs: TabChannel): DraftStore {
  const key = `milena.drafts.by-conversation.${owner}`;
  const store = createStore<Drafts>(() => ({ ...takenOver(owner, key), ...read(key) }));
  /** What the other tabs do not know yet, and to whom it is. */
  const changed = new Map<ConversationId, UserId | null>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let saved = true;
  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    const drafts = store.getState();
    saved = save(key, drafts);
    for (const [conversation, to] of changed)
      tabs.post({
        kind: 'draft',
        conversation,
        ...(to === null ? {} : { to }),
        text: drafts[conversation] ?? '',
      });
    changed.clear();
  };
  const put = (id: ConversationId, text: string) => {
    const { [id]: _, ...others } = store.getState();
    const kept = text.trim() === '' ? others : { ...others, [id]: text };
    store.setState(Object.fromEntries(Object.entries(kept).slice(-MAX_DRAFTS)), true);
  };
  const stop = tabs.listen((news) => {
    const id = news.kind === 'draft' ? idOf(owner, news) : undefined;
    // What is being typed here right now is newer than what was typed there.
    if (news.kind === 'draft' && id !== undefined && !changed.has(id)) put(id, news.text);
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
    set({ conversation, to }, text) {
      put(conversation, text);
      changed.set(conversation, to);
      timer ??= setTimeout(write, WRITE_AFTER_MS);
    },
    clear() {
      for (const id of Object.keys(store.getState())) changed.set(id, null);
      store.setState({}, true);
      write();
      // Also what a tab of the first version has kept meanwhile.
      save(keyOfFirstVersion(owner), {});
    },
    dispose() {
      writeIfWaiting();
      stop();
      window.removeEventListener('pagehide', writeIfWaiting);
    },
  };
}

function idOf(owner: UserId, { conversation, to }: Extract<TabNews, { kind: 'draft' }>) {
  return conversation ?? (to === undefined ? undefined : (directConversation(owner, to) ?? undefined));
}

const keyOfFirstVersion = (owner: UserId) => `milena.drafts.${owner}`;

/** The drafts of the first version, which are gone from their place when they are safe in the new one. */
function takenOver(owner: UserId, key: string): Drafts {
  const old = keyOfFirstVersion(owner);
  const drafts: Drafts = {};
  for (const [to, text] of Object.entries(read(old))) {
    const id = directConversation(owner, to);
    if (id !== null) drafts[id] = text;
  }
  if (Object.keys(drafts).length > 0 && save(key, { ...drafts, ...read(key) })) save(old, {});
  return drafts;
}

function read(key: string): Drafts {
  try {
    const json: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    const entries = Object.entries(json as Record<string, unknown>);
    return Object.fromEntries(
      entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
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
