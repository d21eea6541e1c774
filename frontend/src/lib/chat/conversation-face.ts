// What a conversation is called on the page, and whose picture stands for it.
import { nameOf } from '@/lib/chat/person-name';
import type { Person, Room } from '@/lib/http/types';
import { isAlike } from '@/lib/names/lookalike';
import type { ChatState } from '@/lib/store/chat-state';
import type { ConversationEntry } from '@/lib/store/conversation-entry';

import { useChatState } from './chat-context';

export interface Face {
  name: string;
  /** The other one of a direct conversation; null in a room, and while nobody knows the name. */
  person: Person | null;
  /** The name can be taken for another's: the username has to stand beside it. */
  alike: boolean;
  /** Oneself. */
  notes: boolean;
  /** `room`: the sign of a room instead of somebody's initials. */
  avatar: { id: string; name: string; notes: boolean; room?: Room['visibility'] };
}

export type Named = Pick<ConversationEntry, 'id' | 'kind' | 'others' | 'room'>;

const ROOM = 'Room';
const SOMEBODY = 'Somebody';

export function faceOf(
  { id, kind, others, room }: Named,
  { people, me }: Pick<ChatState, 'people' | 'me'>,
): Face {
  if (kind === 'room') return roomFace({ id, title: room?.title ?? ROOM, visibility: room?.visibility });
  const person = people[others[0] ?? ''] ?? null;
  const notes = person?.id === me.id;
  const name = person ? nameOf(person, me.id) : SOMEBODY;
  return {
    name,
    person,
    alike: person !== null && !notes && isAlike(people, me, person.id),
    notes,
    avatar: { id: person?.id ?? id, name: person?.display_name ?? name, notes },
  };
}

function roomFace({ id, title, visibility = 'public' }: RoomSign): Face {
  const avatar = { id, name: title, notes: false, room: visibility };
  return { name: title, person: null, alike: false, notes: false, avatar };
}

interface RoomSign {
  id: string;
  title: string;
  visibility: Room['visibility'] | undefined;
}

/** The name where no more than it is said. */
export const spokenName = ({ name, person, alike }: Face) =>
  alike && person ? `${name} @${person.username}` : name;

export function useFace(conversation: Named): Face {
  const people = useChatState((state) => state.people);
  const me = useChatState((state) => state.me);
  return faceOf(conversation, { people, me });
}
