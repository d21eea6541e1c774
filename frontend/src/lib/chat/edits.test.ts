import { expect, it, vi } from 'vitest';

import type { Api } from '@/lib/http/api';
import { ApiError } from '@/lib/http/api-error';

import { Edits } from './edits';

const problem = (status: number, code: string) => new ApiError({ status, code });

it('asks once whether earlier versions are kept', async () => {
  for (const [answer, kept] of [
    [() => Promise.resolve({ edits: [] }), true],
    [() => Promise.reject(problem(404, 'not_found')), false],
  ] as const) {
    const asked = vi.fn<Api['edits']>(answer);
    const edits = new Edits({ edits: asked });
    expect(await edits.kept('c', 1)).toBe(kept);
    expect(await edits.kept('c', 2)).toBe(kept);
    expect(asked).toHaveBeenCalledOnce();
  }
});

it('asks again when the server could not say', async () => {
  const asked = vi.fn<Api['edits']>();
  asked.mockRejectedValueOnce(problem(503, 'store_unavailable')).mockResolvedValue({ edits: [] });
  const edits = new Edits({ edits: asked });
  expect(await edits.kept('c', 1)).toBe(false);
  expect(await edits.kept('c', 1)).toBe(true);
});
