// Key combinations as text, such as `Mod+Shift+K`: whether an event is one, and how people read it.

export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

export const isMac = () => /Mac|iPhone|iPad/.test(navigator.platform);

/** A character that needs Shift on some keyboards, such as `?`, matches however it is typed. */
export function matches(combo: string, event: KeyPress, mac = isMac()): boolean {
  const { key, mod, alt, shift } = parse(combo);
  const [wantedMod, otherMod] = mac ? [event.metaKey, event.ctrlKey] : [event.ctrlKey, event.metaKey];
  const shiftFits = isSymbol(key) || event.shiftKey === shift;
  return (
    event.key.toLowerCase() === key.toLowerCase() &&
    wantedMod === mod &&
    !otherMod &&
    event.altKey === alt &&
    shiftFits
  );
}

/** Types text by itself: it must not be taken from whoever writes. */
export const typesText = (combo: string) => combo.length === 1;

const NAMES: Record<string, string> = {
  ArrowDown: '↓',
  ArrowUp: '↑',
  Escape: 'Esc',
};

/** The keys one by one, as they are printed on a keyboard. */
export function labelsOf(combo: string, mac = isMac()): string[] {
  const { key, mod, alt, shift } = parse(combo);
  return [
    mod && (mac ? '⌘' : 'Ctrl'),
    alt && (mac ? '⌥' : 'Alt'),
    shift && (mac ? '⇧' : 'Shift'),
    NAMES[key] ?? key,
  ].filter((label) => label !== false);
}

/** As `aria-keyshortcuts` wants it. */
export function ariaOf(combos: readonly string[]): string {
  return combos.map((combo) => combo.replace('Mod', isMac() ? 'Meta' : 'Control')).join(' ');
}

function parse(combo: string) {
  const parts = combo.split('+');
  return {
    key: parts.at(-1) ?? '',
    mod: parts.includes('Mod'),
    alt: parts.includes('Alt'),
    shift: parts.includes('Shift'),
  };
}

const isSymbol = (key: string) => key.length === 1 && !/[a-z0-9]/i.test(key);
