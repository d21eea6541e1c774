// The service worker: keeps the files of the page, so that it opens without a connection, and shows what the
// server tells this browser while no page is open. Nothing else.
//
// It is small, so it is kept by hand: all that a library would add are rules for what we do not want stored.
// A new worker takes over at once, because pages of the build before find their files with it, too; whoever
// opens the page gets the server's, so that a worker never holds anybody at an old build. Pages that are open
// are told which build is the newest and offer to reload (lib/app-build).
import { build } from './build';
import { handlingOf } from './handling';
import { file, page, store, tidy } from './page-files';
import { addressOf, pushedOf } from './pushed';
import type { Pushed } from './pushed';

declare const self: ServiceWorkerGlobalScope;

const get = (request: Request) => fetch(request);

self.addEventListener('install', (event) => {
  event.waitUntil(store(build, caches, get).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const { navigationPreload } = self.registration;
  event.waitUntil(
    Promise.all([tidy(build, caches), navigationPreload.enable()]).then(async () => {
      await self.clients.claim();
      for (const client of await self.clients.matchAll()) client.postMessage({ entry: build.entry });
    }),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const handling = handlingOf(request, self.location.origin, build.files);
  if (handling === 'file') event.respondWith(file(request, caches, get));
  if (handling === 'page') {
    // Under way while the worker was started.
    const preloaded = event.preloadResponse as Promise<Response | undefined>;
    const answer = preloaded.then((response) => response ?? get(request));
    event.respondWith(page(answer, build, caches));
  }
});

self.addEventListener('push', (event) => {
  const { title, ...shown } = pushedOf(event.data?.text() ?? '');
  const options = { ...shown, icon: '/icon-192.png', badge: '/icon-badge-96.png' };
  event.waitUntil(self.registration.showNotification(title, options));
});

self.addEventListener('notificationclick', (event) => {
  const { notification } = event;
  notification.close();
  event.waitUntil(open(notification.data as Pushed['data']));
});

/** In a page that is there, or in a new one. */
async function open(pressed: Pushed['data']): Promise<void> {
  const [client] = await self.clients.matchAll({ type: 'window' });
  if (!client) {
    await self.clients.openWindow(pressed ? addressOf(pressed) : '/');
    return;
  }
  client.postMessage({ pressed });
  // Browsers let it come forward only for a press that was just now.
  await client.focus().catch(() => undefined);
}
