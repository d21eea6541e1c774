import { expect, it, vi } from 'vitest';

import { loadOnce } from './load-once';

it('loads once, and again only after a failure', async () => {
  const load = vi.fn().mockRejectedValueOnce(new Error('offline')).mockResolvedValue('emoji');
  const wanted = loadOnce(load);
  await expect(wanted()).rejects.toThrow('offline');
  expect(await wanted()).toBe('emoji');
  expect(await wanted()).toBe('emoji');
  expect(load).toHaveBeenCalledTimes(2);
});
