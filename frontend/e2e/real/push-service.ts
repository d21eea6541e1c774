// A push service of this machine: takes what the server pushes and decrypts it as a browser would (RFC 8188,
// RFC 8291), with a key of its own.
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect } from '@playwright/test';
import type { BrowserContext } from '@playwright/test';

export class PushService {
  /** What came, decrypted, in order. */
  readonly pushed: string[] = [];
  readonly #key = createECDH('prime256v1');
  readonly #auth = randomBytes(16);
  readonly #http = createServer((request, answer) => {
    void this.#take(request).then(() => answer.writeHead(201).end());
  });

  async start(): Promise<void> {
    this.#key.generateKeys();
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
  }

  dispose(): void {
    this.#http.close();
  }

  /**
   * Lets pages subscribe here, as long as one does not unsubscribe: the browser's own service is somewhere on
   * the internet. The server, the worker and what it shows are the real ones.
   */
  async stand(context: BrowserContext): Promise<void> {
    const { port } = this.#http.address() as AddressInfo;
    const form = {
      endpoint: `http://127.0.0.1:${port}/anna`,
      keys: { auth: this.#auth.toString('base64url'), p256dh: this.#key.getPublicKey('base64url') },
    };
    await context.addInitScript((made) => {
      if (!('PushManager' in window)) return;
      const subscription = {
        toJSON: () => made,
        unsubscribe: () => {
          localStorage.removeItem('test-subscribed');
          return Promise.resolve(true);
        },
      };
      Object.assign(PushManager.prototype, {
        subscribe: (options: PushSubscriptionOptionsInit) => {
          if (typeof options.applicationServerKey !== 'string') throw new TypeError('no key');
          localStorage.setItem('test-subscribed', options.applicationServerKey);
          return Promise.resolve(subscription);
        },
        getSubscription: () =>
          Promise.resolve(localStorage.getItem('test-subscribed') === null ? null : subscription),
      });
    }, form);
  }

  /** The next one that has not been taken yet. */
  async next(): Promise<string> {
    await expect.poll(() => this.pushed.length, { timeout: 30_000 }).toBeGreaterThan(0);
    return this.pushed.shift()!;
  }

  async #take(request: IncomingMessage): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    expect(request.headers['content-encoding']).toBe('aes128gcm');
    expect(request.headers.authorization).toMatch(/^vapid t=/);
    this.pushed.push(this.#open(Buffer.concat(chunks)));
  }

  #open(body: Buffer): string {
    const salt = body.subarray(0, 16);
    const sender = body.subarray(21, 21 + body.readUInt8(20));
    const sealed = body.subarray(21 + sender.length);
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.#key.getPublicKey(), sender]);
    const secret = hkdfSync('sha256', this.#key.computeSecret(sender), this.#auth, info, 32);
    const derive = (name: string, bytes: number) =>
      Buffer.from(hkdfSync('sha256', Buffer.from(secret), salt, `Content-Encoding: ${name}\0`, bytes));
    const cipher = createDecipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12));
    cipher.setAuthTag(sealed.subarray(-16));
    const padded = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
    // The last record ends with a 2, and zeros.
    return padded.subarray(0, padded.lastIndexOf(2)).toString();
  }
}
