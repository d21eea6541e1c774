// What somebody in a room is called, wherever their words or deeds are told of.
import type { UserId } from '@/lib/http/types';
import { isAlike } from '@/lib/names/lookalike';
import type { ChatState } from '@/lib/store/chat-state';

export type Names = Pick<ChatState, 'people' | 'me'>;

/** Whose name is on its way. */
const SOMEBODY = 'Somebody';

/** Oneself, too; told from others whose name looks alike. */
export function authorName({ people, me }: Names, id: UserId): string {
  const person = id === me.id ? me : people[id];
  if (!person) return SOMEBODY;
  return isAlike(people, me, id) ? `${person.display_name} @${person.username}` : person.display_name;
}
