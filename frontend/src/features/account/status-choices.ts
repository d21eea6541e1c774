// What people usually say of themselves, and for how long.

export type Lasting = 'half-hour' | 'hour' | 'today' | 'week' | 'open';

export const LASTING: readonly { value: Lasting; label: string }[] = [
  { value: 'half-hour', label: 'In 30 minutes' },
  { value: 'hour', label: 'In an hour' },
  { value: 'today', label: 'The end of today' },
  { value: 'week', label: 'The end of this week' },
  { value: 'open', label: 'I change it' },
];

export const USUAL: readonly { emoji: string; text: string; lasting: Lasting }[] = [
  { emoji: '📅', text: 'In a meeting', lasting: 'hour' },
  { emoji: '🍽️', text: 'Eating', lasting: 'half-hour' },
  { emoji: '🏡', text: 'Working from home', lasting: 'today' },
  { emoji: '🤒', text: 'Ill', lasting: 'today' },
  { emoji: '🌴', text: 'On holiday', lasting: 'open' },
];

/** By the clock on the wall; a week ends with its Sunday. Null: until it is changed. */
export function untilOf(lasting: Lasting, nowMs: number): string | null {
  if (lasting === 'open') return null;
  const end = new Date(nowMs);
  if (lasting === 'half-hour') end.setMinutes(end.getMinutes() + 30);
  else if (lasting === 'hour') end.setHours(end.getHours() + 1);
  else {
    if (lasting === 'week') end.setDate(end.getDate() + ((7 - end.getDay()) % 7));
    end.setHours(23, 59, 59, 0);
  }
  return end.toISOString();
}
