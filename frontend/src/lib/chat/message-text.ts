// What a message says. Kinds grow: one that this page does not know yet is told of, quietly, and never shown
// as if somebody had written it.
import type { Message } from '@/lib/http/types';

const KINDS = ['direct', 'room'];

export const UNKNOWN_TEXT = 'Something that this page cannot show yet. Load it again to see it.';

export const DELETED_TEXT = 'This message was deleted.';

/** Null: this page does not know what it is. */
export const textOf = ({ kind, body, deleted }: Message): string | null => {
  if (!KINDS.includes(kind)) return null;
  return deleted ? '' : (body ?? null);
};
