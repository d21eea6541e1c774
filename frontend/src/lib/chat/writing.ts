// What the composer of each conversation is for, when it is not a new message: an answer to a message, or
// other words for one's own. What is answered is remembered in this browser, like the draft that goes with
// it; the words of an edit live as long as the page, so that none of a message that is deleted meanwhile stay
// behind.
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { ConversationId, Target, UserId } from '@/lib/http/types';

export type Writing =
  | { kind: 'reply'; target: Target }
  /** `text`: as it is being changed; `before`: as it was. */
  | { kind: 'edit'; target: Target; text: string; before: string };

type All = Record<ConversationId, Writing>;

/** Those that are older are let go. */
const KEPT_MAX = 200;

export interface WritingStore {
  store: StoreApi<All>;
  /** Null: a new message. */
  set(id: ConversationId, writing: Writing | null): void;
  clear(): void;
}

export function createWritingStore(owner: UserId): WritingStore {
  const key = `milena.replies.${owner}`;
  const store = createStore<All>(() => read(key));
  const save = () => {
    const replies = Object.entries(store.getState()).filter(([, { kind }]) => kind === 'reply');
    write(key, Object.fromEntries(replies.slice(-KEPT_MAX)));
  };
  return {
    store,
    set(id, writing) {
      const { [id]: _, ...others } = store.getState();
      store.setState(writing ? { ...others, [id]: writing } : others, true);
      save();
    },
    clear() {
      store.setState({}, true);
      save();
    },
  };
}

function read(key: string): All {
  try {
    const json = JSON.parse(localStorage.getItem(key) ?? '{}') as Record<string, unknown>;
    const replies = Object.entries(json).flatMap(([id, value]) => {
      const target = (value as Partial<Writing> | null)?.target;
      const known = typeof target?.id === 'string' && typeof target.position === 'number';
      return known ? [[id, { kind: 'reply', target }] as const] : [];
    });
    return Object.fromEntries(replies);
  } catch {
    return {};
  }
}

function write(key: string, replies: Record<string, Writing>): void {
  try {
    if (Object.keys(replies).length === 0) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(replies));
  } catch {
    // Full or forbidden: then they live as long as the page.
  }
}
