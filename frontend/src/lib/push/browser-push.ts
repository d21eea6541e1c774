// What this browser can be told while no page is open (Push API). It is asked only when somebody presses the
// switch for it; what it then has belongs to whoever pressed, and goes when they log out.
import type { NewSubscription, UserId } from '@/lib/http/types';

export type Ability =
  | 'possible'
  /** On an iPhone only what is on the home screen is told. */
  | 'home-screen'
  /** No secure connection, no worker, or a browser without push. */
  | 'missing';

/** Who pressed the switch in this browser. */
const OWNER = 'milena.push';
/**
 * That no words are to be shown, kept here too: what the server knows of this browser goes with the session,
 * and whoever logs in again must not find their words on the screen.
 */
const WORDLESS = 'milena.push.wordless';

export function ability(): Ability {
  if (!window.isSecureContext || !('serviceWorker' in navigator)) return 'missing';
  if ('PushManager' in window && 'Notification' in window) return 'possible';
  const { standalone } = navigator as { standalone?: boolean };
  return standalone === false ? 'home-screen' : 'missing';
}

/** What the server is to know of this browser; null when it is not told, or not for this person. */
export async function subscription(user: UserId): Promise<NewSubscription | null> {
  const made = owner() === user ? await (await manager())?.getSubscription() : null;
  return made ? formOf(made) : null;
}

/**
 * To be called from a press: the browser asks for permission. Throws what the browser says when it cannot, or
 * must not.
 */
export async function subscribe(publicKey: string, user: UserId): Promise<NewSubscription> {
  const push = await manager();
  if (!push) throw new DOMException('there is no service worker', 'NotSupportedError');
  const options = { userVisibleOnly: true, applicationServerKey: publicKey };
  const made = await push.subscribe(options).catch(async (error: unknown) => {
    // It has one for another key: of a server whose database was made anew since.
    if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
    await (await push.getSubscription())?.unsubscribe();
    return push.subscribe(options);
  });
  localStorage.setItem(OWNER, user);
  localStorage.removeItem(WORDLESS);
  return formOf(made);
}

/** Whether names and words are to be shown: said of the subscriptions that the server is told from now on. */
export function keepWords(words: boolean): void {
  if (words) localStorage.removeItem(WORDLESS);
  else localStorage.setItem(WORDLESS, '');
}

/** This browser is told nothing more, whatever the server thinks. */
export async function unsubscribe(): Promise<void> {
  localStorage.removeItem(OWNER);
  localStorage.removeItem(WORDLESS);
  await (await (await manager())?.getSubscription())?.unsubscribe();
}

/** Whoever pressed the switch here; null when nobody did, or nothing may be stored. */
function owner(): UserId | null {
  try {
    return localStorage.getItem(OWNER);
  } catch {
    return null;
  }
}

async function manager(): Promise<PushManager | null> {
  if (ability() !== 'possible') return null;
  // Without a worker `ready` would never be.
  if (!(await navigator.serviceWorker.getRegistration())) return null;
  return (await navigator.serviceWorker.ready).pushManager;
}

function formOf(made: PushSubscription): NewSubscription {
  const { endpoint, keys } = made.toJSON();
  const words = localStorage.getItem(WORDLESS) === null;
  return { endpoint: endpoint ?? '', keys: { auth: keys?.auth ?? '', p256dh: keys?.p256dh ?? '' }, words };
}
