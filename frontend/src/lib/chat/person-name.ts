// What somebody is called on the page.
import type { Person, UserId } from '@/lib/http/types';

export const NOTES = 'Notes to self';

export const nameOf = (person: Person, me: UserId) => (person.id === me ? NOTES : person.display_name);
