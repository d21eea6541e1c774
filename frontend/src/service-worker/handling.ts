// Which requests the worker answers, and how. Nothing of the server's interface is among them: answers with
// words in them never come near a cache of the worker.

export type Handling =
  /** Whoever opens an address: the newest page that can be had. */
  | 'page'
  /** A file of the page: as it was stored with the page. */
  | 'file'
  /** The browser does what it would do without a worker. */
  | 'none';

export interface Asked {
  method: string;
  url: string;
  mode: string;
}

/** Addresses of the server that are no pages of ours, with all that lies below them. */
const SERVERS = ['/api', '/ws', '/docs', '/openapi.json', '/metrics', '/healthz', '/readyz'];

export function handlingOf({ method, url, mode }: Asked, origin: string, files: readonly string[]): Handling {
  const address = new URL(url);
  if (method !== 'GET' || address.origin !== origin) return 'none';
  const { pathname } = address;
  if (SERVERS.some((server) => pathname === server || pathname.startsWith(`${server}/`))) return 'none';
  if (mode === 'navigate') return files.includes(pathname) && pathname !== '/' ? 'file' : 'page';
  // A page of the build before asks for files that are in no list any more.
  return files.includes(pathname) || pathname.startsWith('/assets/') ? 'file' : 'none';
}
