// The files of the page, kept in the browser: those of this build and of the one before, which a page that is
// still open may ask for.
import type { Build } from './build';

const PREFIX = 'milena-page-';
const KEPT = 2;
/** Longer than that nobody looks at an empty window, when there is a page that can be shown. */
const PATIENCE_MS = 4_000;

type Fetch = (request: Request) => Promise<Response>;

/** All of them, or a failure: then the browser tries it again with the next look for a new worker. */
export async function store(
  { version, files, entry }: Build,
  caches: CacheStorage,
  get: Fetch,
): Promise<void> {
  const cache = await caches.open(PREFIX + version);
  await Promise.all(
    files.map(async (file) => {
      // Files with a hash in their names come from the browser's own cache where it has them.
      const request = new Request(file, file.startsWith('/assets/') ? {} : { cache: 'no-cache' });
      const answer = await get(request);
      if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
      // Of several servers one may have another build already.
      if (file === '/' && !(await answer.clone().text()).includes(entry)) throw new Error('another build');
      await cache.put(file, answer);
    }),
  );
}

/** Lets go of all but the newest. */
export async function tidy({ version }: Build, caches: CacheStorage): Promise<void> {
  const all = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  const others = all.filter((name) => name !== PREFIX + version);
  await Promise.all(
    others.slice(0, Math.max(0, others.length - KEPT + 1)).map((name) => caches.delete(name)),
  );
}

/** As it is stored, whichever build it is of; else the server's. */
export async function file(request: Request, caches: CacheStorage, get: Fetch): Promise<Response> {
  const { pathname } = new URL(request.url);
  return (await caches.match(pathname)) ?? get(request);
}

/**
 * The server's, so that whoever opens the page has the newest one; where the server does not answer, or
 * answers that it cannot, the one that is stored.
 */
export async function page(
  answer: Promise<Response>,
  { version }: Build,
  caches: CacheStorage,
  patienceMs = PATIENCE_MS,
): Promise<Response> {
  const stored = () => caches.match('/', { cacheName: PREFIX + version });
  const late = new Promise<'late'>((resolve) => setTimeout(resolve, patienceMs, 'late'));
  const first = await Promise.race([answer.catch(() => 'failed' as const), late]);
  if (first instanceof Response && first.status < 500) return first;
  return (await stored()) ?? (first instanceof Response ? first : answer);
}
