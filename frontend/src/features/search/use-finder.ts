// What a search found and which of it is chosen: conversations that are in memory at once, and behind them
// the people whom the server names.
import { useId, useState } from 'react';

import { useChatState } from '@/lib/chat/chat-context';
import { nameOf } from '@/lib/chat/person-name';
import type { ConversationId, Person } from '@/lib/http/types';
import type { ConversationEntry } from '@/lib/store/conversation-entry';

import { find } from './find';
import { usePeopleSearch } from './use-people-search';

export interface Found {
  person: Person;
  name: string;
  /** Null: nothing was written yet. */
  conversation: ConversationId | null;
  unread: number;
}

export interface Finder {
  /** Of the list box; an option's is `optionId`. */
  id: string;
  query: string;
  conversations: Found[];
  people: Found[];
  /** How the server's part of the search stands. */
  server: 'asking' | 'answered' | 'failed';
  /** Why it failed. */
  problem: string | null;
  /** The one that Enter takes. */
  chosen: Found | undefined;
  choose: (found: Found) => void;
  /** From one to the next, around the end. */
  step: (by: 1 | -1) => void;
}

/** More conversations than this nobody looks through; another letter finds the right one. */
const MAX_CONVERSATIONS = 30;
const NONE: Record<string, never> = {};
const NO_ORDER: never[] = [];

export function useFinder(text: string): Finder {
  const query = text.trim();
  const id = useId();
  const me = useChatState((state) => state.me);
  // Without a search, a message that arrives is no reason to render.
  const entries = useChatState((state) => (query === '' ? NONE : state.conversations));
  const order = useChatState((state) => (query === '' ? NO_ORDER : state.order));
  const byPerson = useChatState((state) => state.byPerson);
  const search = usePeopleSearch(text);
  const [choice, setChoice] = useState<{ query: string; person: string } | null>(null);

  const found = (person: Person): Found => {
    const conversation = byPerson[person.id] ?? null;
    const unread = conversation === null ? 0 : (entries[conversation]?.unread ?? 0);
    return { person, name: nameOf(person, me.id), conversation, unread };
  };
  const local = candidates(entries, order, me).map((person) => {
    const it = found(person);
    return { ...it, names: [it.name, person.display_name, person.username] };
  });
  const conversations = find(query, local).slice(0, MAX_CONVERSATIONS);
  const shown = new Set(conversations.map(({ person }) => person.id));
  const others = search.people
    .filter((person) => !shown.has(person.id))
    .map((person) => ({ ...found(person), names: [person.display_name, person.username] }));
  const current = search.answered === query;
  // Until it is answered, of the last answer what still fits: Enter must not open somebody who was not asked
  // for.
  const people = current ? others : find(query, others);

  const all: Found[] = [...conversations, ...people];
  const chosenPerson = choice?.query === query ? choice.person : undefined;
  const at = Math.max(
    0,
    all.findIndex(({ person }) => person.id === chosenPerson),
  );
  const choose = ({ person }: Found) => setChoice({ query, person: person.id });
  return {
    id,
    query,
    conversations,
    people,
    server: !current ? 'asking' : search.error === null ? 'answered' : 'failed',
    problem: current ? search.error : null,
    chosen: all[at],
    choose,
    step(by) {
      const next = all[(at + by + all.length) % all.length];
      if (next) choose(next);
    },
  };
}

export const optionId = (finder: Finder, { person }: Found) => `${finder.id}-${person.id}`;

/** Those in the list, newest first, and oneself: notes are there before the first one is written. */
function candidates(
  entries: Record<ConversationId, ConversationEntry>,
  order: readonly ConversationId[],
  me: Person,
): Person[] {
  const people = order.flatMap((id) => entries[id]?.person ?? []);
  return people.some(({ id }) => id === me.id) ? people : [...people, me];
}
