import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { fakeTabs } from '@/testing/fake-tabs';

import { Announcements, LISTEN_MS } from './announcement';

const tabs = (count: number) =>
  fakeTabs(count).map((channel, index) => new Announcements(`tab-${index}`, channel));

async function told(answers: Promise<boolean>[]): Promise<boolean[]> {
  await vi.advanceTimersByTimeAsync(LISTEN_MS);
  return Promise.all(answers);
}

describe('of several tabs', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('one tells', async () => {
    const all = tabs(4);
    expect(await told(all.map((tab) => tab.isOurs('m', false)))).toEqual([true, false, false, false]);
  });

  it('none tells what somebody looks at in one of them, whichever hears first', async () => {
    const all = tabs(3);
    expect(await told(all.map((tab, index) => tab.isOurs('m', index === 2)))).toEqual([false, false, false]);
    expect(await told(all.toReversed().map((tab, index) => tab.isOurs('n', index === 0)))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('a late one does not tell again', async () => {
    const [first, second] = tabs(2);
    expect(await told([second!.isOurs('m', false)])).toEqual([true]);
    expect(await told([first!.isOurs('m', false)])).toEqual([false]);
  });

  it('a closed one is not waited for', async () => {
    const [first, second] = tabs(2);
    first!.dispose();
    expect(await told([second!.isOurs('m', false)])).toEqual([true]);
  });
});
