// A server that was replaced by one with another build of the page: stands before the real program, passes
// everything on, and answers for the files of the page as the newer build would, once it is told to.
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join, resolve } from 'node:path';

const DIST = resolve(import.meta.dirname, '../../dist');

export class NextBuild {
  url = '';
  /** Its files, by their addresses. */
  readonly #files: ReadonlyMap<string, { kind: string; text: string }>;
  readonly #behind: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #released = false;

  constructor(behind: string) {
    this.#behind = new URL(behind);
    this.#files = nextFiles();
    this.#server = createServer((asked, answer) => this.#answer(asked, answer));
    this.#server.on('upgrade', (asked, socket: Socket, head) => this.#upgrade(asked, socket, head));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on the server has the next build, and has broken off all connections. */
  release(): void {
    this.#released = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  async dispose(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  #answer(asked: IncomingMessage, answer: ServerResponse): void {
    const path = asked.url ?? '/';
    const page = asked.headers.accept?.includes('text/html') === true;
    const file = this.#released ? this.#files.get(page ? '/' : path) : undefined;
    if (file) {
      answer.writeHead(200, { 'content-type': file.kind, 'cache-control': 'no-cache' });
      answer.end(file.text);
      return;
    }
    const { method, headers } = asked;
    const passed = request({ ...this.#where(), method, path, headers }, (told) => {
      answer.writeHead(told.statusCode ?? 502, told.headers);
      told.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  }

  #upgrade(asked: IncomingMessage, socket: Socket, head: Buffer): void {
    const passed = connect(Number(this.#behind.port), this.#behind.hostname, () => {
      const headers = asked.rawHeaders
        .map((part, index) => (index % 2 === 0 ? `${part}: ` : `${part}\r\n`))
        .join('');
      passed.write(`GET ${asked.url ?? '/'} HTTP/1.1\r\n${headers}\r\n`);
      passed.write(head);
      passed.pipe(socket);
      socket.pipe(passed);
    });
    passed.on('error', () => socket.destroy());
    socket.on('error', () => passed.destroy());
    socket.on('close', () => passed.destroy());
  }

  #where() {
    return { host: this.#behind.hostname, port: this.#behind.port };
  }
}

/** What the build before would be with one more line in its script. */
function nextFiles() {
  const read = (name: string) => readFileSync(join(DIST, name), 'utf8');
  const [, entry] = /src="(\/assets\/index-[^"]+\.js)"/.exec(read('index.html')) ?? [];
  if (entry === undefined) throw new Error('the page is not built: run `npm run build`');
  const next = entry.replace(/-[^-]+\.js$/, '-next.js');
  const script = {
    kind: 'text/javascript',
    text: `${read(entry)}\ndocument.documentElement.dataset.build = 'next';`,
  };
  const worker = read('sw.js')
    .replaceAll(entry, next)
    .replace(/version:([`"'])/, 'version:$1next-');
  return new Map([
    ['/', { kind: 'text/html', text: read('index.html').replaceAll(entry, next) }],
    ['/sw.js', { kind: 'text/javascript', text: worker }],
    [next, script],
  ]);
}
