// How rooms are described in a few words.
import type { Role, Room } from '@/lib/http/types';

export const countedMembers = (count: number): string =>
  count === 1 ? 'One member' : `${count.toLocaleString('en')} members`;

export const VISIBILITY: Record<Room['visibility'], string> = {
  public: 'Public room',
  private: 'Private room',
};

export const ROLES: Record<Role, string> = { owner: 'Owner', moderator: 'Moderator', member: 'Member' };
