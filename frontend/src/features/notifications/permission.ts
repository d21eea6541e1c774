// Whether the browser lets this page show notifications. It is asked only when somebody presses the button
// for it.
import { useSyncExternalStore } from 'react';

import { setPreferences } from './preferences';

export type Permission = NotificationPermission | 'missing';

const listeners = new Set<() => void>();

/** Missing where the page came over plain http from another machine, or the browser has none. */
export const permission = (): Permission =>
  typeof Notification === 'undefined' || !window.isSecureContext ? 'missing' : Notification.permission;

export function usePermission(): Permission {
  return useSyncExternalStore(subscribe, permission);
}

/** To be called from a press. */
export async function turnOn(): Promise<void> {
  if (permission() === 'default') await Notification.requestPermission();
  if (permission() === 'granted') setPreferences({ desktop: true });
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  // People change it in the browser's own settings, in another tab.
  document.addEventListener('visibilitychange', listener);
  return () => {
    listeners.delete(listener);
    document.removeEventListener('visibilitychange', listener);
  };
}
