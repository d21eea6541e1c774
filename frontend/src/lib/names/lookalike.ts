// Which names on the page can be taken for each other. Those are shown with their username, which nobody else
// has.
import { NOTES } from '@/lib/chat/person-name';
import type { Person, UserId } from '@/lib/http/types';

import confusables from './confusables.json';
import { fold } from './fold';

const SEEN_AS: Record<string, string> = confusables;

/**
 * What the eye makes of a name: signs that look alike are one, and what stands between the letters does not
 * count.
 */
export function lookalike(name: string): string {
  const seen = Array.from(fold(name), (sign) => SEEN_AS[sign] ?? sign).join('');
  return seen.replace(/[^\p{Alphabetic}\p{N}]/gu, '');
}

/** A name of signs alone is itself. */
const keyOf = (name: string) => lookalike(name) || fold(name);

interface Keys {
  displayName: string;
  username: string;
}

/** Names are folded once, not with every message that arrives, and forgotten with the person. */
const known = new WeakMap<Person, Keys>();

function keysOf(person: Person): Keys {
  let keys = known.get(person);
  if (!keys) {
    keys = { displayName: keyOf(person.display_name), username: keyOf(person.username) };
    known.set(person, keys);
  }
  return keys;
}

/**
 * Those whose display name can be taken for another person's name or username, or for the page's own words.
 */
export function alike(people: Iterable<Person>, me: Person): ReadonlySet<UserId> {
  const owners = new Map<string, Set<UserId>>([[keyOf(NOTES), new Set(['notes'])]]);
  const all = new Map<UserId, Person>([[me.id, me]]);
  for (const person of people) all.set(person.id, person);
  for (const person of all.values()) {
    const { displayName, username } = keysOf(person);
    for (const key of [displayName, username]) {
      const same = owners.get(key);
      if (same) same.add(person.id);
      else owners.set(key, new Set([person.id]));
    }
  }
  const found = new Set<UserId>();
  for (const person of all.values())
    if ((owners.get(keysOf(person).displayName)?.size ?? 0) > 1) found.add(person.id);
  return found;
}

type People = Record<UserId, Person>;

const answers = new WeakMap<People, { me: Person; found: ReadonlySet<UserId> }>();

/** Whether somebody's name can be taken for another's whom the page knows. Reckoned once for all of them. */
export function isAlike(people: People, me: Person, person: UserId): boolean {
  let answer = answers.get(people);
  if (answer?.me !== me) {
    answer = { me, found: alike(Object.values(people), me) };
    answers.set(people, answer);
  }
  return answer.found.has(person);
}

/** What each of these is called beside all whom the page knows: with the username where names look alike. */
export function namesOf(
  told: readonly Person[],
  { people, me }: { people: People; me: Person },
): (person: Person) => string {
  const found = alike([...Object.values(people), ...told], me);
  return ({ id, display_name, username }) => (found.has(id) ? `${display_name} @${username}` : display_name);
}
