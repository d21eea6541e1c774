// One fetch with a time limit, JSON both ways, and every failure as an ApiError. The session is the HttpOnly cookie:
// this page never sees a token.
import { ApiError } from './api-error';

const TIMEOUT_MS = 15_000;

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  body?: unknown;
  signal?: AbortSignal;
}

export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await answered(path, options);
  const text = await response.text().catch(() => '');
  const json = parse(text);
  if (response.ok) return json as T;
  throw problem(response.status, json);
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
