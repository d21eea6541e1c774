import { expect, it, vi } from 'vitest';

import { AppBuild } from './app-build';

function setUp(register = async () => ({ update })) {
  let nowMs = 0;
  const heard: ((event: { data: unknown }) => void)[] = [];
  const build = new AppBuild('/assets/index-1.js', () => nowMs);
  const told = vi.fn();
  build.listen(told);
  build.start({
    register: register as never,
    addEventListener: (_: string, listener: never) => void heard.push(listener),
  });
  const say = (data: unknown) => heard.forEach((listener) => listener({ data }));
  const wait = async (ms: number) => {
    nowMs += ms;
    build.look();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { build, say, told, wait };
}

const update = vi.fn(async () => undefined);

it('is old as soon as the worker is of another build, not before', () => {
  const { build, say, told } = setUp();
  say({ entry: '/assets/index-1.js' });
  say({ something: 'else' });
  say(null);
  expect(build.isOld()).toBe(false);
  expect(told).not.toHaveBeenCalled();
  say({ entry: '/assets/index-2.js' });
  expect(build.isOld()).toBe(true);
  expect(told).toHaveBeenCalledOnce();
});

it('looks for another build when it is asked to, once a minute at most', async () => {
  update.mockClear();
  const { wait } = setUp();
  await wait(59_000);
  expect(update).not.toHaveBeenCalled();
  await wait(1_000);
  await wait(59_000);
  expect(update).toHaveBeenCalledOnce();
  await wait(1_000);
  expect(update).toHaveBeenCalledTimes(2);
});

it('goes on where the browser forbids it, or the server is away', async () => {
  const forbidden = setUp(async () => Promise.reject(new Error('forbidden')));
  await forbidden.wait(60_000);
  update.mockRejectedValueOnce(new Error('away'));
  const away = setUp();
  await away.wait(60_000);
  expect(away.build.isOld()).toBe(false);
});
