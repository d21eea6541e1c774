// The worker's files and pages, on caches in memory and a network that can fail.
import { describe, expect, it, vi } from 'vitest';

import { handlingOf } from './handling';
import { file, page, store, tidy } from './page-files';

const ORIGIN = 'https://chat.example.org';
const build = (n: number) => ({
  version: `v${n}`,
  files: ['/', `/assets/index-${n}.js`, '/favicon.svg'],
  entry: `/assets/index-${n}.js`,
});

/** As much of CacheStorage as is used, in the order in which they were opened. */
function fakeCaches() {
  const all = new Map<string, Map<string, Response>>();
  const find = (path: string, name?: string) =>
    [...all].flatMap(([of, cache]) => (name === undefined || of === name ? (cache.get(path) ?? []) : []))[0];
  const caches = {
    open: async (name: string) => {
      const cache = all.get(name) ?? new Map<string, Response>();
      all.set(name, cache);
      return { put: async (path: string, response: Response) => void cache.set(path, response) };
    },
    keys: async () => [...all.keys()],
    delete: async (name: string) => all.delete(name),
    match: async (path: string, options?: { cacheName: string }) => find(path, options?.cacheName)?.clone(),
  };
  return { caches: caches as unknown as CacheStorage, all };
}

/** A server with this build of the page. */
const server = (n: number) =>
  vi.fn(async (request: Request) => {
    const { pathname } = new URL(request.url, ORIGIN);
    if (pathname === '/') return new Response(`<script src="/assets/index-${n}.js">`);
    const known = build(n).files.includes(pathname);
    return new Response(`${pathname} of ${n}`, { status: known ? 200 : 404 });
  });

/** Without a place of its own, as a worker has one, a request needs a whole address. */
class RequestAt extends Request {
  constructor(path: string, options?: RequestInit) {
    super(new URL(path, ORIGIN), options);
  }
}
vi.stubGlobal('Request', RequestAt);

const asked = (path: string) => new Request(path);

describe('which requests are answered', () => {
  const { files } = build(1);
  const how = (path: string, mode = 'cors', method = 'GET') =>
    handlingOf({ url: new URL(path, ORIGIN).href, mode, method }, ORIGIN, files);

  it('are those of pages and of the files that they are made of', () => {
    expect(how('/', 'navigate')).toBe('page');
    expect(how('/c/0190/m/7?x=1', 'navigate')).toBe('page');
    expect(how('/assets/index-1.js')).toBe('file');
    expect(how('/assets/index-0.js')).toBe('file');
    expect(how('/favicon.svg')).toBe('file');
    expect(how('/favicon.svg', 'navigate')).toBe('file');
  });

  it('are never those of the server’s interface, or of others', () => {
    for (const path of ['/api/v1/conversations', '/ws', '/docs/', '/openapi.json', '/metrics', '/readyz'])
      for (const mode of ['cors', 'navigate']) expect(how(path, mode)).toBe('none');
    expect(how('/apiary', 'navigate')).toBe('page');
    expect(how('https://elsewhere.example/assets/index-1.js')).toBe('none');
    expect(how('/', 'navigate', 'POST')).toBe('none');
    expect(how('/unknown.txt')).toBe('none');
  });
});

describe('the files of a build', () => {
  it('are stored all together, and are there without a server', async () => {
    const { caches } = fakeCaches();
    await store(build(1), caches, server(1));
    const away = vi.fn(async () => Promise.reject(new TypeError('offline')));
    for (const path of build(1).files) {
      const answer = await file(asked(path), caches, away);
      expect(await answer.text()).toContain('1');
    }
    expect(away).not.toHaveBeenCalled();
  });

  it('are not stored when one is missing, or the page is of another build', async () => {
    const { caches } = fakeCaches();
    const halfway = vi.fn(async (request: Request) =>
      new URL(request.url).pathname === '/' ? server(2)(request) : server(1)(request),
    );
    await expect(store(build(1), caches, halfway)).rejects.toThrow('another build');
    await expect(store(build(2), caches, halfway)).rejects.toThrow('404');
  });

  it('stay for pages of the build before, and go with the one after', async () => {
    const { caches, all } = fakeCaches();
    await caches.open('of somebody else');
    for (const n of [1, 2, 3]) {
      await store(build(n), caches, server(n));
      await tidy(build(n), caches);
    }
    expect([...all.keys()]).toEqual(['of somebody else', 'milena-page-v2', 'milena-page-v3']);
    const old = await file(asked('/assets/index-2.js'), caches, server(3));
    expect(await old.text()).toBe('/assets/index-2.js of 2');
    expect((await file(asked('/assets/index-1.js'), caches, server(3))).status).toBe(404);
  });
});

describe('an address that is opened', () => {
  async function stored() {
    const { caches } = fakeCaches();
    await store(build(1), caches, server(1));
    await store(build(2), caches, server(2));
    return (answer: Promise<Response>) => page(answer, build(2), caches, 20);
  }

  it('is the server’s page, also when that says that there is none', async () => {
    const open = await stored();
    expect(await (await open(Promise.resolve(new Response('three')))).text()).toBe('three');
    expect((await open(Promise.resolve(new Response('', { status: 404 })))).status).toBe(404);
  });

  it.each([
    ['cannot be reached', () => Promise.reject(new TypeError('offline'))],
    ['is behind a gateway that cannot reach it', async () => new Response('', { status: 502 })],
    ['does not answer', () => new Promise<Response>(() => undefined)],
  ])('is the stored one of this build where the server %s', async (_, answer) => {
    const open = await stored();
    expect(await (await open(answer())).text()).toContain('/assets/index-2.js');
  });

  it('fails as it would without a worker where nothing is stored', async () => {
    const { caches } = fakeCaches();
    const failed = Promise.reject(new TypeError('offline'));
    await expect(page(failed, build(1), caches, 20)).rejects.toThrow('offline');
    const gateway = Promise.resolve(new Response('', { status: 502 }));
    expect((await page(gateway, build(1), caches, 20)).status).toBe(502);
  });
});
