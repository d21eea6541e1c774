// `@name` while typing: who can be meant, of those in the conversation, everybody where one may call them,
// and behind them others whom one may bring in. Like the completion of emoji it takes no key that means
// something else: Enter belongs to it only when somebody moved in the list; Tab takes the first one.
import { useEffect, useState } from 'react';
import type { KeyboardEvent } from 'react';

import { useChat, useChatState } from '@/lib/chat/chat-context';
import { mayCallEveryone } from '@/lib/chat/mentions';
import { rightsIn } from '@/lib/chat/room-rights';
import { usePeopleSearch } from '@/lib/chat/use-people-search';
import type { ConversationId, Person } from '@/lib/http/types';
import { isComposing } from '@/lib/keys/composing';
import { EVERYONE } from '@/lib/markup/mention-token';
import { fold } from '@/lib/names/fold';

import { insertText } from './insert-text';
import { isLeftAlone } from './typed-context';

const SHOWN = 7;
const TYPING_PAUSE_MS = 120;
/** Not inside of a word or an address. */
const ASKED = /(?:^|[^\p{L}\p{N}_@./])@([\p{L}\p{N}._-]{0,32})$/u;
const REACH = 40;

export interface Nameable {
  /** What is typed for it. */
  username: string;
  /** Null: everybody. */
  person: Person | null;
  /** They are not in the room. */
  outside?: true;
}

interface Asked {
  query: string;
  from: number;
}

export function useMentionCompletion(conversation: ConversationId, enabled: boolean) {
  const chat = useChat();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [chosen, setChosen] = useState<number | null>(null);
  const query = asked?.query ?? null;
  const found = useNameable(conversation, enabled ? query : null);
  const list = asked ? found : NONE;

  function close() {
    setAsked(null);
    setChosen(null);
  }

  function take({ username, person }: Nameable, area: HTMLTextAreaElement) {
    // Who is sent as a person is known by name.
    if (person) chat.names.told([person]);
    if (asked) insertText(area, `@${username} `, asked.from, area.selectionStart);
    close();
  }

  return {
    found: list,
    chosen,
    look: (area: HTMLTextAreaElement) => {
      const { value, selectionStart: caret, selectionEnd } = area;
      const match =
        caret === selectionEnd ? ASKED.exec(value.slice(Math.max(0, caret - REACH), caret)) : null;
      const typed = match?.[1] ?? null;
      const left = typed !== null && isLeftAlone(value, caret - typed.length - 1, caret);
      const now = left ? null : typed;
      setAsked(now === null ? null : { query: now, from: caret - now.length - 1 });
      if (now !== query) setChosen(null);
    },
    onKeyDown: (event: KeyboardEvent<HTMLTextAreaElement>): boolean => {
      const { key, currentTarget: area } = event;
      const held = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
      const picked = list[chosen ?? 0];
      if (!picked || held || isComposing(event.nativeEvent)) return false;
      if (key === 'ArrowDown' || key === 'ArrowUp') {
        const by = key === 'ArrowDown' ? 1 : -1;
        setChosen(((chosen ?? (by > 0 ? -1 : 0)) + by + list.length) % list.length);
      } else if (key === 'Escape') close();
      else if (key === 'Tab' || (key === 'Enter' && chosen !== null)) take(picked, area);
      else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
    take,
    close,
  };
}

const NONE: Nameable[] = [];
const EVERYBODY: Nameable = { username: EVERYONE, person: null };

/** Fewer letters than that mean too many who are not in the room. */
const OUTSIDE_MIN_CHARS = 2;

/** `query`: null while nobody is asked for. */
function useNameable(conversation: ConversationId, query: string | null): Nameable[] {
  const chat = useChat();
  const entry = useChatState((state) => state.conversations[conversation]);
  const people = useChatState((state) => state.people);
  const everyone = useChatState((state) => mayCallEveryone(state, conversation));
  const me = useChatState((state) => state.me.id);
  const [answer, setAnswer] = useState<{ query: string; people: Person[]; isWhole: boolean } | null>(null);
  const inRoom = entry?.kind === 'room';
  const mayAdd = entry?.room != null && rightsIn(entry.room).add;
  // Who is in the room is known first: only then it is known who is not.
  const members = answer?.isWhole && answer.query === query ? answer.people : null;
  const seeksOutside = mayAdd && members !== null && (query?.length ?? 0) >= OUTSIDE_MIN_CHARS;
  const search = usePeopleSearch(seeksOutside && query !== null ? query : '');

  useEffect(() => {
    if (query === null || !inRoom) return;
    const abort = new AbortController();
    const page = { limit: SHOWN + 1, ...(query === '' ? {} : { q: query }) };
    const timer = setTimeout(() => {
      chat.rooms.members(conversation, page, abort.signal).then(
        ({ members: told, next }) =>
          setAnswer({ query, people: told.map(({ user }) => user), isWhole: next === null }),
        () => undefined,
      );
    }, TYPING_PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [chat, conversation, inRoom, query]);

  if (query === null) return NONE;
  const wanted = fold(query);
  const fits = ({ username, display_name }: Person) =>
    [username, display_name, ...display_name.split(/\s+/)].some((name) => fold(name).startsWith(wanted));
  const known = inRoom ? (answer?.people ?? []) : (entry?.others ?? []).flatMap((id) => people[id] ?? []);
  const others = seeksOutside && search.answered === query ? search.people : [];
  const outside = others.filter(({ id }) => !members?.some((member) => member.id === id));
  const found = [
    ...known.filter((person) => person.id !== me && fits(person)).map(nameable),
    ...outside.filter((person) => person.id !== me && fits(person)).map(nameableOutside),
  ];
  const all = everyone && EVERYONE.startsWith(wanted) ? [...found.slice(0, SHOWN - 1), EVERYBODY] : found;
  return all.slice(0, SHOWN);
}

const nameable = (person: Person): Nameable => ({ username: person.username, person });
const nameableOutside = (person: Person): Nameable => ({ ...nameable(person), outside: true });
