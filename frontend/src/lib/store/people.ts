// Those whom the page knows by name, each once, however many conversations they are in.
import type { Person, UserId } from '@/lib/http/types';

export type People = Record<UserId, Person>;

/** Who is told again as before stays the same object, and the map, too, if all do: nothing renders for it. */
export function withPeople(people: People, told: Iterable<Person>): People {
  let next = people;
  for (const person of told) {
    const known = next[person.id];
    if (known?.display_name === person.display_name && known.username === person.username) continue;
    if (next === people) next = { ...people };
    next[person.id] = person;
  }
  return next;
}
