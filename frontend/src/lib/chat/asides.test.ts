// What stands beside the window: quotes are asked for together and once, and what changed while nobody told
// is asked for until it is known.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { ApiError } from '@/lib/http/api-error';
import { message, page } from '@/testing/builders';
import { endAll, start } from '@/testing/chat-sessions';
import { welcome } from '@/testing/fake-socket';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  endAll();
  vi.useRealTimers();
});

async function opened() {
  const test = start();
  const told = ({ id, conversation, sender, position, sent_at, body }: ReturnType<typeof message>) => ({
    id, conversation, kind: 'message', actor: sender, position, at: sent_at, body: body ?? '',
  }); // prettier-ignore
  test.api.events.mockImplementation(async () => {
    const { messages, ...rest } = page([9, 10]);
    return { ...rest, events: messages.map(told) };
  });
  test.api.messagesAt.mockImplementation(async (_, at) =>
    page([], { messages: at.filter((position) => position !== 3).map((position) => message(position)) }),
  );
  const { limits } = welcome();
  test.chat.start();
  await test.goLive({ limits: { ...limits, mentions_max: 50 } });
  test.chat.history.open('c');
  await test.settle();
  const { asides } = test.chat.changes;
  const aside = () => test.state().aside.c?.map(({ position }) => position);
  return { ...test, asides, aside };
}

it('asks for what is quoted in one go, and not again for what is not there', async () => {
  const { api, asides, aside, settle } = await opened();
  asides.need('c', [9, 4]);
  asides.need('c', [3, 4, 5]);
  await settle();
  expect(api.messagesAt.mock.calls).toEqual([['c', [4, 3, 5]]]);
  expect(aside()).toEqual([4, 5]);
  asides.need('c', [3, 4, 5]);
  await settle();
  expect(api.messagesAt).toHaveBeenCalledOnce();
});

it('lets a deletion reach what is quoted', async () => {
  const { asides, sockets, settle, state } = await opened();
  asides.need('c', [4]);
  await settle();
  const target = { position: 4, id: 'm4' };
  sockets
    .current()
    .receive({ type: 'deleted', conversation: 'c', position: 20, actor: 'anna', at: '', target });
  await settle();
  expect(state().aside.c?.[0]).toMatchObject({ body: '', deleted: { position: 20, by: 'anna' } });
});

it('asks for changes page by page, again after a failure, and anew when more was missed', async () => {
  const { api, sockets, settle, state } = await opened();
  const gap = (changes_after: number) =>
    sockets.current().receive({ type: 'gap', conversation: 'c', after: 10, before: 10, changes_after });
  api.changes.mockRejectedValueOnce(new ApiError({ status: 503, code: 'store_unavailable' }));
  api.changes.mockResolvedValueOnce({
    messages: [message(9, { body: 'new 9', changed: 12 })],
    next: 12,
    complete: true,
  });
  api.changes.mockResolvedValue({
    messages: [message(10, { body: 'new 10', changed: 15 })],
    next: null,
    complete: true,
  });
  gap(11);
  await vi.advanceTimersByTimeAsync(4_000);
  await settle();
  expect(api.changes.mock.calls.map(([, { changed_after }]) => changed_after)).toEqual([11, 11, 12]);
  expect(state().timelines.c?.messages.map(({ body }) => body)).toEqual(['new 9', 'new 10']);
  expect(state().timelines.c?.hasAfter).toBe(false);
});

it('asks for all that is kept where the server does not say what changed', async () => {
  const { api, sockets, settle, state } = await opened();
  api.changes.mockRejectedValue(new ApiError({ status: 404, code: 'not_found' }));
  api.messagesAt.mockResolvedValue(
    page([], { messages: [message(9, { body: '', deleted: { position: 12, by: 'anna' }, changed: 12 })] }),
  );
  sockets.current().receive({ type: 'gap', conversation: 'c', after: 10, before: 10, changes_after: 8 });
  await settle();
  expect(api.messagesAt.mock.calls).toEqual([['c', [9, 10]]]);
  expect(state().timelines.c?.messages[0]).toMatchObject({ body: '', deleted: { by: 'anna' } });
});
