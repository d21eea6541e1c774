// What one may do in a room, so that nothing is offered that the server would refuse: the rules of
// crates/timeline, which has the last word.
import type { Role, Room } from '@/lib/http/types';

export interface RoomRights {
  write: boolean;
  /** Bring others in. */
  add: boolean;
  /** Title and topic. */
  describe: boolean;
  /** Everything else about the room, and who is what. */
  own: boolean;
  /** See who is kept away, and let them come back. */
  moderate: boolean;
}

const RANK = { member: 0, moderator: 1, owner: 2 };

export function rightsIn({
  role,
  archived,
  posting,
}: Pick<Room, 'role' | 'archived' | 'posting'>): RoomRights {
  const rank = role === null ? -1 : RANK[role];
  const moderate = rank >= RANK.moderator;
  return {
    write: !archived && (posting === 'members' ? rank >= 0 : moderate),
    add: !archived && rank >= 0,
    describe: !archived && moderate,
    own: rank === RANK.owner,
    moderate,
  };
}

/** Whether somebody outside can come in. */
export const mayEnter = ({
  banned,
  visibility,
  archived,
}: Pick<Room, 'banned' | 'visibility' | 'archived'>) => !banned && visibility === 'public' && !archived;

/** Whether whoever has the one role can send away whoever has the other. */
export const isAbove = (mine: Role | null, theirs: Role): boolean =>
  mine === 'owner' || (mine !== null && RANK[mine] >= RANK.moderator && RANK[mine] > RANK[theirs]);
