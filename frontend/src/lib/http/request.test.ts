import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from './api-error';
import { request } from './request';

const tooFast = (retry_after_ms: number) =>
  new Response(JSON.stringify({ code: 'rate_limited', status: 429, retry_after_ms }), { status: 429 });
const fine = () => new Response('{"id":1}', { status: 200 });

let fetched: ReturnType<typeof vi.fn<typeof fetch>>;

beforeEach(() => {
  vi.useFakeTimers();
  fetched = vi.fn<typeof fetch>();
  vi.stubGlobal('fetch', fetched);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a question that came too fast is asked again when the server said to', async () => {
  fetched.mockResolvedValueOnce(tooFast(700)).mockResolvedValueOnce(fine());
  const answer = request('me');
  await vi.advanceTimersByTimeAsync(699);
  expect(fetched).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await answer).toEqual({ id: 1 });
});

test('but not for ever, not after a long wait, and not when something is changed', async () => {
  fetched.mockImplementation(() => Promise.resolve(tooFast(100)));
  const refused = expect(request('me')).rejects.toMatchObject({ status: 429, temporary: true });
  await vi.advanceTimersByTimeAsync(1_000);
  await refused;
  expect(fetched).toHaveBeenCalledTimes(3);

  await expect(request('login', { method: 'POST', body: {} })).rejects.toBeInstanceOf(ApiError);
  expect(fetched).toHaveBeenCalledTimes(4);

  fetched.mockImplementation(() => Promise.resolve(tooFast(60_000)));
  await expect(request('me')).rejects.toMatchObject({ retryAfterMs: 60_000 });
  expect(fetched).toHaveBeenCalledTimes(5);
});

test('a question that nobody wants any more is not asked again', async () => {
  fetched.mockImplementation(() => Promise.resolve(tooFast(1_000)));
  const unwanted = new AbortController();
  const refused = expect(request('me', { signal: unwanted.signal })).rejects.toThrow('gone');
  await vi.advanceTimersByTimeAsync(10);
  unwanted.abort(new Error('gone'));
  await refused;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(fetched).toHaveBeenCalledTimes(1);
});
