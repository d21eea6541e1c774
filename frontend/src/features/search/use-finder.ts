// What a search found and which of it is chosen: conversations that are in memory at once, and behind them
// the people whom the server names.
import { useId, useState } from 'react';

import { useChatState } from '@/lib/chat/chat-context';
import { faceOf } from '@/lib/chat/conversation-face';
import type { Face, Named } from '@/lib/chat/conversation-face';
import type { ConversationId, Person } from '@/lib/http/types';
import { directConversation } from '@/lib/ids/direct-conversation';
import type { People } from '@/lib/store/people';

import { find } from './find';
import { usePeopleSearch } from '@/lib/chat/use-people-search';

export interface Found {
  conversation: ConversationId;
  face: Face;
  /** The page knows that there is such a conversation. */
  known: boolean;
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
const NOBODY: People = {};
const NO_ORDER: never[] = [];

export function useFinder(text: string): Finder {
  const query = text.trim();
  const id = useId();
  const me = useChatState((state) => state.me);
  // Without a search, a message that arrives is no reason to render.
  const entries = useChatState((state) => (query === '' ? NONE : state.conversations));
  const order = useChatState((state) => (query === '' ? NO_ORDER : state.order));
  const named = useChatState((state) => (query === '' ? NOBODY : state.people));
  const search = usePeopleSearch(text);
  const [choice, setChoice] = useState<{ query: string; conversation: string } | null>(null);

  const found = (conversation: Named, people: People) => {
    const face = faceOf(conversation, { people, me });
    const names = [face.name, ...(face.person ? [face.person.display_name, face.person.username] : [])];
    const entry = entries[conversation.id];
    return { conversation: conversation.id, face, names, known: !!entry, unread: entry?.unread ?? 0 };
  };
  const listed = order.flatMap((id) => entries[id] ?? []);
  const notes = directWith(me, me);
  // Notes are there before the first one is written.
  const local = notes && !entries[notes.id] ? [...listed, notes] : listed;
  const conversations = find(query, query === '' ? [] : local.map((entry) => found(entry, named))).slice(
    0,
    MAX_CONVERSATIONS,
  );
  const shown = new Set(conversations.map(({ conversation }) => conversation));
  const others = search.people.flatMap((person) => {
    const direct = directWith(me, person);
    return direct && !shown.has(direct.id) ? found(direct, { [person.id]: person }) : [];
  });
  const current = search.answered === query;
  // Until it is answered, of the last answer what still fits: Enter must not open somebody who was not asked
  // for.
  const people = current ? others : find(query, others);

  const all: Found[] = [...conversations, ...people];
  const chosen = choice?.query === query ? choice.conversation : undefined;
  const at = Math.max(
    0,
    all.findIndex(({ conversation }) => conversation === chosen),
  );
  const choose = ({ conversation }: Found) => setChoice({ query, conversation });
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

export const optionId = (finder: Finder, { conversation }: Found) => `${finder.id}-${conversation}`;

/** The direct conversation with somebody, begun or not. */
function directWith(me: Person, person: Person): Named | null {
  const id = directConversation(me.id, person.id);
  return id === null ? null : { id, kind: 'direct', others: [person.id], room: null };
}
