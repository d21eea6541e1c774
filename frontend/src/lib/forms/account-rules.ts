// The rules of the registration form, as sentences for the person who types. Null: the value is good.
import {
  countChars,
  DISPLAY_NAME_MAX_CHARS,
  PASSWORD_MAX_CHARS,
  PASSWORD_MIN_CHARS,
  PASSWORD_MIN_DISTINCT,
  USERNAME_MAX_CHARS,
  USERNAME_MIN_CHARS,
} from '@/config/limits';
import { isVisible } from '@/lib/names/fold';

export function usernameError(text: string): string | null {
  if (!/^[A-Za-z0-9._-]*$/.test(text)) return 'Only letters a–z, digits, dot, dash and underscore.';
  if (text.length < USERNAME_MIN_CHARS) return `At least ${USERNAME_MIN_CHARS} characters.`;
  if (text.length > USERNAME_MAX_CHARS) return `At most ${USERNAME_MAX_CHARS} characters.`;
  return null;
}

export function displayNameError(text: string): string | null {
  if (countChars(text.trim()) > DISPLAY_NAME_MAX_CHARS)
    return `At most ${DISPLAY_NAME_MAX_CHARS} characters.`;
  if (/[\p{Cc}\p{Bidi_Control}]/u.test(text)) return 'No control characters.';
  if (text !== '' && !isVisible(text.replace(/\p{M}/gu, '')))
    return 'At least one character that can be seen.';
  return null;
}

/** What needs no list of common passwords: that one is the server's. */
export function newPasswordError(text: string, ...names: string[]): string | null {
  const length = countChars(text);
  if (length < PASSWORD_MIN_CHARS) {
    const missing = PASSWORD_MIN_CHARS - length;
    return missing === PASSWORD_MIN_CHARS
      ? `At least ${PASSWORD_MIN_CHARS} characters.`
      : `${missing} more to go.`;
  }
  if (length > PASSWORD_MAX_CHARS) return `At most ${PASSWORD_MAX_CHARS} characters.`;
  const folded = text.toLowerCase();
  if (new Set(folded).size < PASSWORD_MIN_DISTINCT)
    return `At least ${PASSWORD_MIN_DISTINCT} different characters.`;
  if (names.some((name) => name.trim().toLowerCase() === folded)) return 'Not your own name.';
  return null;
}
