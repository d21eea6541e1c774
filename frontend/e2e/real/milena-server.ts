// The real program, on a free port of this machine and a data folder of its own; ended by its process, never
// by its name.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const READY_MS = 30_000;

export class MilenaServer {
  /** Where the page is, such as `http://127.0.0.1:45603`; the same after a restart. */
  url = '';
  readonly #settings: Record<string, string>;
  readonly #folder = mkdtempSync(join(tmpdir(), 'milena-e2e-'));
  #process: ChildProcess | null = null;
  /** What it said, to show when it does not start. */
  #output = '';

  /** `settings`: those that are other ones than usual, such as `MILENA__CHAT__KEEP_EDITS`. */
  constructor(settings: Record<string, string> = {}) {
    this.#settings = settings;
  }

  async start(): Promise<void> {
    const listen = this.url === '' ? '127.0.0.1:0' : new URL(this.url).host;
    const options = ['--data', this.#folder, '--listen', listen, '--broker', '127.0.0.1:0'];
    // What a test asks for is all that there is.
    const env = { MILENA__ROOMS__JOIN_AT_REGISTRATION: '', ...process.env, ...this.#settings };
    const child = spawn(binary(), options, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#process = child;
    this.#output = '';
    child.stderr.on('data', (data) => (this.#output += String(data)));
    this.url = await new Promise<string>((ready, failed) => {
      const timer = setTimeout(
        () => failed(new Error(`milena did not get ready:\n${this.#output}`)),
        READY_MS,
      );
      child.once('exit', (code) => failed(new Error(`milena ended with ${code}:\n${this.#output}`)));
      child.stdout.on('data', (data) => {
        this.#output += String(data);
        const address = /http:\/\/[\d.]+:\d+/.exec(this.#output)?.[0];
        if (address === undefined) return;
        clearTimeout(timer);
        ready(address);
      });
    });
  }

  /** As a power cut would: without a chance to finish anything. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops it in good order, and deletes its data. */
  async dispose(): Promise<void> {
    await this.#end('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}

/** `MILENA_BIN`, or what `cargo build` made. */
function binary(): string {
  const root = resolve(import.meta.dirname, '../../..');
  const target = process.env.CARGO_TARGET_DIR;
  const candidates = [
    process.env.MILENA_BIN,
    target === undefined ? undefined : join(target, 'debug/milena'),
    join(root, 'target/debug/milena'),
  ];
  const found = candidates.find((path) => path !== undefined && existsSync(path));
  if (found === undefined)
    throw new Error('no milena program: run `cargo build -p milena`, or set MILENA_BIN');
  return found;
}
