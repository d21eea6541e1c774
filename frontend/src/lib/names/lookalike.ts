// Which names on the page can be taken for each other. Those are shown with their username, which nobody else
// has.
import { NOTES } from '@/lib/chat/person-name';
import type { Person, UserId } from '@/lib/http/types';

import confusables from './confusables.json';
import { fold } from './fold';

const SEEN_AS: Record<string, string> = confusables;

/** What the eye makes of a name: signs that look alike are one, and what stands between the letters does not count. */
export function lookalike(name: string): string {
  const seen = Array.from(fold(name), (sign) => SEEN_AS[sign] ?? sign).join('');
  return seen.replace(/[^\p{Alphabetic}\p{N}]/gu, '');
}

/** Names are folded once, not with every message that arrives. */
const known = new Map<string, string>();
const KNOWN_MAX = 20_000;

function keyOf(name: string): string {
  const found = known.get(name);
  if (found !== undefined) return found;
  // A name of signs alone is itself.
  const key = lookalike(name) || fold(name);
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(name, key);
  return key;
}

/** Those whose display name can be taken for another person's name or username, or for the page's own words. */
export function alike(people: Iterable<Person>, me: Person): ReadonlySet<UserId> {
  const owners = new Map<string, Set<UserId>>([[keyOf(NOTES), new Set(['notes'])]]);
  const all = new Map<UserId, Person>([[me.id, me]]);
  for (const person of people) all.set(person.id, person);
  for (const { id, display_name, username } of all.values())
    for (const key of [keyOf(display_name), keyOf(username)]) {
      const same = owners.get(key);
      if (same) same.add(id);
      else owners.set(key, new Set([id]));
    }
  const found = new Set<UserId>();
  for (const { id, display_name } of all.values())
    if ((owners.get(keyOf(display_name))?.size ?? 0) > 1) found.add(id);
  return found;
}

type Conversations = Record<string, { person: Person }>;

const answers = new WeakMap<Conversations, { me: Person; found: ReadonlySet<UserId> }>();

/** Whether somebody's name on the page can be taken for another's. Reckoned once for each state of the list. */
export function isAlike(conversations: Conversations, me: Person, person: UserId): boolean {
  let answer = answers.get(conversations);
  if (answer?.me !== me) {
    const people = Object.values(conversations).map((entry) => entry.person);
    answer = { me, found: alike(people, me) };
    answers.set(conversations, answer);
  }
  return answer.found.has(person);
}
