// The rules of the forms about rooms, as sentences for the person who types. Null: the value is good.
import {
  countChars,
  HANDLE_MAX_CHARS,
  HANDLE_MIN_CHARS,
  TITLE_MAX_CHARS,
  TOPIC_MAX_CHARS,
} from '@/config/limits';
import { isVisible } from '@/lib/names/fold';

export function handleError(text: string): string | null {
  if (!/^[a-z0-9._-]*$/.test(text)) return 'Only small letters a–z, digits, dot, dash and underscore.';
  if (text !== '' && !/^[a-z0-9]/.test(text)) return 'It begins with a letter or a digit.';
  if (text.length < HANDLE_MIN_CHARS) return `At least ${HANDLE_MIN_CHARS} characters.`;
  if (text.length > HANDLE_MAX_CHARS) return `At most ${HANDLE_MAX_CHARS} characters.`;
  return null;
}

export function titleError(text: string): string | null {
  if (text.trim() === '') return 'At least one character.';
  return lineError(text, TITLE_MAX_CHARS);
}

export const topicError = (text: string): string | null => lineError(text, TOPIC_MAX_CHARS);

function lineError(text: string, maxChars: number): string | null {
  const left = maxChars - countChars(text.trim());
  if (left < 0) return `At most ${maxChars} characters: ${-left} too many.`;
  if (/[\p{Cc}\p{Bidi_Control}]/u.test(text)) return 'No control characters.';
  if (text.trim() !== '' && !isVisible(text.replace(/\p{M}/gu, '')))
    return 'At least one character that can be seen.';
  return null;
}

/** What a room of this title may go by: empty where nothing of it can stand in an address. */
export function handleFor(title: string): string {
  return title
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replace(/[^a-z0-9._]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, HANDLE_MAX_CHARS)
    .replace(/-+$/, '');
}
