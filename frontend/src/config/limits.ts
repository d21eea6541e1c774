// The limits of the server that forms show before it is asked (docs/PROTOCOL.md; the server checks them all
// again).

export const USERNAME_MIN_CHARS = 3;
export const USERNAME_MAX_CHARS = 32;
export const DISPLAY_NAME_MAX_CHARS = 64;
export const PASSWORD_MIN_CHARS = 8;
export const PASSWORD_MAX_CHARS = 256;
/** Fewer different ones are a pattern. */
export const PASSWORD_MIN_DISTINCT = 4;
export const HANDLE_MIN_CHARS = 2;
export const HANDLE_MAX_CHARS = 32;
export const TITLE_MAX_CHARS = 80;
export const TOPIC_MAX_CHARS = 250;
/** People whom one brings into a room at once. */
export const MEMBERS_ADDED_MAX = 500;
export const BODY_MAX_CHARS = 8_000;

/** Characters as the server counts them: Unicode code points, not UTF-16 units. */
export function countChars(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
