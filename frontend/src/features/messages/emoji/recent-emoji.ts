// What was picked lately, newest first; remembered in this browser.

const KEY = 'milena.emoji';
const KEPT = 18;

export function recentEmoji(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(stored) ? stored.filter((char) => typeof char === 'string').slice(0, KEPT) : [];
  } catch {
    return [];
  }
}

export function rememberEmoji(char: string): void {
  const recent = [char, ...recentEmoji().filter((other) => other !== char)].slice(0, KEPT);
  try {
    localStorage.setItem(KEY, JSON.stringify(recent));
  } catch {
    // Storage is full or forbidden: then there are none.
  }
}
