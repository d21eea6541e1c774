// One fetch with a time limit, JSON both ways, and every failure as an ApiError. The session is the HttpOnly
// cookie: this page never sees a token.
import { ApiError } from './api-error';

const TIMEOUT_MS = 15_000;
/**
 * Questions that came too fast are asked again by themselves, when the server said to: so often, and after no
 * longer wait.
 */
const TRIES = 3;
const LONGEST_WAIT_MS = 5_000;

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  signal?: AbortSignal;
}

export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    const response = await answered(path, options);
    const text = await response.text().catch(() => '');
    const json = parse(text);
    if (response.ok) return json as T;
    const error = problem(response.status, json);
    const waitMs = waitBeforeNext(error, options);
    if (waitMs === undefined || tries === TRIES) throw error;
    await pause(waitMs, options.signal);
  }
}

/** Only questions: whoever signs in or changes something is told, and decides. */
function waitBeforeNext(error: ApiError, { method = 'GET' }: RequestOptions): number | undefined {
  const waitMs = error.status === 429 && method === 'GET' ? error.retryAfterMs : undefined;
  return waitMs !== undefined && waitMs <= LONGEST_WAIT_MS ? waitMs : undefined;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      },
      { once: true },
    );
  });
}

async function answered(path: string, { method = 'GET', body, signal }: RequestOptions): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(`/api/v1/${path}`, {
      method,
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError({ status: 0, code: timeout.aborted ? 'timeout' : 'offline' });
  }
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A proxy in between may answer with a page of its own: then there is no `code`. */
function problem(status: number, json: unknown): ApiError {
  const known = typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
  return new ApiError({
    status,
    code: typeof known.code === 'string' ? known.code : `http_${status}`,
    ...(typeof known.detail === 'string' ? { detail: known.detail } : {}),
    ...(typeof known.field === 'string' ? { field: known.field } : {}),
    ...(typeof known.retry_after_ms === 'number' ? { retry_after_ms: known.retry_after_ms } : {}),
  });
}
