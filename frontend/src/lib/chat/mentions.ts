// People who are named in a text. What is sent has `<@id>` for each of them, and `<@everyone>`, so that a
// name follows its owner; what one types and reads has `@username`, which is the owner's for ever, and the
// name they go by. Nobody is named inside of code.
import type { ConversationId, Message, Person, UserId } from '@/lib/http/types';
import { blocksOf } from '@/lib/markup/blocks';
import { mapTexts, sourceOf } from '@/lib/markup/nodes';
import type { ChatState } from '@/lib/store/chat-state';
import { EVERYONE, TOKEN } from '@/lib/markup/mention-token';

import { authorName } from './author-name';
import type { Names } from './author-name';
import { rightsIn } from './room-rights';

const MENTIONS_MAX = 50;
/** As it is typed: not inside of a word or an address. */
const TYPED = /(^|[^\p{L}\p{N}_@./<-])@([a-z0-9][a-z0-9._-]{1,31})/giu;

export interface NamedText {
  body: string;
  mentions: UserId[];
  everyone: boolean;
}

/** What is sent for what was typed. A name that nobody on this page has stays what it is. */
export function toTokens(text: string, people: readonly Person[], everyone: boolean): NamedText {
  if (!text.includes('@')) return { body: text, mentions: [], everyone: false };
  const byName = new Map(people.map((person) => [person.username.toLowerCase(), person]));
  const named = new Set<UserId>();
  let all = false;
  const body = sourceOf(
    mapTexts(blocksOf(text), (part) =>
      part.replace(TYPED, (whole, before: string, name: string) => {
        if (everyone && name.toLowerCase() === EVERYONE) {
          all = true;
          return `${before}<@${EVERYONE}>`;
        }
        // A full stop or a dash behind it ends the sentence, unless somebody is called so.
        const exact = [name, name.replace(/[._-]+$/, '')].find((one) => byName.has(one.toLowerCase()));
        const person = exact === undefined ? undefined : byName.get(exact.toLowerCase());
        if (!person || exact === undefined || (!named.has(person.id) && named.size >= MENTIONS_MAX))
          return whole;
        named.add(person.id);
        return `${before}<@${person.id}>${name.slice(exact.length)}`;
      }),
    ),
  );
  return { body, mentions: [...named], everyone: all };
}

/** As it was typed, to be edited. */
export function toTyped(body: string, { people, me }: Names): string {
  return body.replace(TOKEN, (token, id: string) => {
    if (id === EVERYONE) return `@${EVERYONE}`;
    const person = id === me.id ? me : people[id];
    return person ? `@${person.username}` : token;
  });
}

/** With everybody's present name, as words only. */
export const toNames = (body: string, names: Names): string =>
  body.includes('<@') ? body.replace(TOKEN, (_, id: string) => `@${mentionName(names, id)}`) : body;

export const mentionName = (names: Names, id: UserId): string =>
  id === EVERYONE ? EVERYONE : authorName(names, id);

export const callsMe = ({ mentions = [], everyone }: Pick<Message, 'mentions' | 'everyone'>, me: UserId) =>
  everyone === true || mentions.includes(me);

/** Whether one may call everybody in it. */
export function mayCallEveryone({ conversations, limits }: ChatState, id: ConversationId): boolean {
  const room = conversations[id]?.room;
  if (!room) return false;
  return room.members <= (limits?.everyone_free_members ?? 0) || rightsIn(room).moderate;
}
