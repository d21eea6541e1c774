import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { ColourQueue } from './colours';
import type { Colourist, Colours } from './colours';

/** A worker that answers when it is told to. */
class Slow implements Colourist {
  onmessage: ((event: MessageEvent<Colours>) => void) | null = null;
  onerror: ((event: ErrorEvent) => void) | null = null;
  asked: string[] = [];
  ended = false;
  postMessage({ code }: { code: string }) {
    this.asked.push(code);
  }
  terminate() {
    this.ended = true;
  }
  answer() {
    this.onmessage?.(new MessageEvent('message', { data: [this.asked.at(-1) ?? ''] }));
  }
}

let workers: Slow[] = [];
const live = new AbortController().signal;

function setUp() {
  workers = [];
  return new ColourQueue(() => {
    const worker = new Slow();
    workers.push(worker);
    return worker;
  });
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('colours one at a time, the latest first, and not what nobody looks at any more', async () => {
  const queue = setUp();
  const gone = new AbortController();
  const [a, , c] = ['a', 'b', 'c'].map((code) =>
    queue.colours(code, 'js', code === 'b' ? gone.signal : live),
  );
  gone.abort();
  expect(workers[0]?.asked).toEqual(['a']);
  workers[0]?.answer();
  expect(workers[0]?.asked).toEqual(['a', 'c']);
  workers[0]?.answer();
  expect([await a, await c]).toEqual([['a'], ['c']]);
  expect(workers).toHaveLength(1);
});

it('asks once for the same code', async () => {
  const queue = setUp();
  const both = [queue.colours('a', 'js', live), queue.colours('a', 'js', live)];
  workers[0]?.answer();
  expect(await Promise.all(both)).toEqual([['a'], ['a']]);
  expect(await queue.colours('a', 'js', live)).toEqual(['a']);
  expect(workers[0]?.asked).toEqual(['a']);
});

it('gives up what takes too long, for good, and goes on with the others', async () => {
  const queue = setUp();
  const [bad, good] = [queue.colours('bad', 'js', live), queue.colours('good', 'js', live)];
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await bad).toBeNull();
  expect(workers[0]?.ended).toBe(true);
  workers[1]?.answer();
  expect(await good).toEqual(['good']);
  expect(await queue.colours('bad', 'js', live)).toBeNull();
  expect(workers).toHaveLength(2);
});
