// What this browser may do when something comes, as the person chose it here. Off until then.
import { useSyncExternalStore } from 'react';

export interface Preferences {
  desktop: boolean;
  sound: boolean;
}

const KEY = 'milena.notifications';
const OFF: Preferences = { desktop: false, sound: false };
const listeners = new Set<() => void>();
let current = stored();

window.addEventListener('storage', ({ key }) => {
  if (key === KEY) changed(stored());
});

export const preferences = () => current;

export function setPreferences(change: Partial<Preferences>): void {
  changed({ ...current, ...change });
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Then it lasts as long as the page.
  }
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, preferences);
}

function changed(next: Preferences): void {
  current = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function stored(): Preferences {
  try {
    const { desktop, sound } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<
      Record<string, unknown>
    >;
    return { desktop: desktop === true, sound: sound === true };
  } catch {
    return OFF;
  }
}
