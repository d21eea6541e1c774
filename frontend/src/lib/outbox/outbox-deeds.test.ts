// What is done with messages goes the way of messages: in their order, across a reload, never as something
// else.
import { openDB } from 'idb';
import { expect, it } from 'vitest';

import type { ClientFrame } from '@/lib/socket/frames';

import { Outbox } from './outbox';
import { IdbOutboxStorage } from './outbox-storage';

const owner = 'me';
const room = { conversation: 'r', to: null };
const target = { position: 7, id: 'm7' };

function page(storage: IdbOutboxStorage, id: string) {
  const sent: ClientFrame[] = [];
  const outbox = new Outbox({
    owner,
    page: id,
    storage,
    send: (frame) => sent.push(frame) > 0,
    onChange: () => undefined,
  });
  return { outbox, sent };
}

it('all kinds go one after the other, also from the page that was there before a reload', async () => {
  const storage = new IdbOutboxStorage('kinds');
  const before = page(storage, 'before');
  before.outbox.add(room, { body: 'one', reply_to: target, mentions: ['ann'], everyone: true });
  before.outbox.add(room, { body: 'other words', deed: { does: 'edit', target, mentions: [] } });
  before.outbox.add(room, { body: '', deed: { does: 'react', target, emoji: '👍', on: true } });
  before.outbox.add(room, { body: '', deed: { does: 'pin', target, on: false } });
  before.outbox.add(room, { body: 'two' });
  before.outbox.add(room, { body: '', deed: { does: 'delete', target } });
  await storage.load(owner);
  before.outbox.dispose();

  const { outbox, sent } = page(storage, 'after');
  await outbox.adopt(new Set());
  outbox.connected();
  for (let n = 0; n < 6; n += 1) {
    expect(sent).toHaveLength(n + 1);
    outbox.accepted((sent[n] as { client_id: string }).client_id);
  }
  const common = { conversation: 'r', target };
  expect(sent.map(({ client_id: _, ...frame }: ClientFrame & { client_id?: string }) => frame)).toEqual([
    {
      type: 'send',
      conversation: 'r',
      body: 'one',
      reply_to: target,
      mentions: ['ann'],
      everyone: true,
      retry: true,
    },
    { type: 'edit', ...common, body: 'other words', mentions: [] },
    { type: 'react', ...common, emoji: '👍', on: true },
    { type: 'pin', ...common, on: false },
    { type: 'send', conversation: 'r', body: 'two', retry: true },
    { type: 'delete', ...common },
  ]);
  expect(await storage.load(owner)).toEqual([]);
});

it('a tab of an earlier version, which would send an edit as a message, does not find it', async () => {
  const storage = new IdbOutboxStorage('apart');
  const { outbox } = page(storage, 'p');
  outbox.add(room, { body: 'secret edit', deed: { does: 'edit', target } });
  outbox.add(room, { body: 'words' });
  expect(await storage.load(owner)).toHaveLength(2);
  const db = await openDB('apart', 1);
  expect((await db.getAll('outbox')).map(({ body }: { body: string }) => body)).toEqual(['words']);
});

it('what was refused for good steps aside, and keeps why', () => {
  const { outbox, sent } = page(new IdbOutboxStorage('refused'), 'p');
  outbox.connected();
  outbox.add(room, { body: 'x', deed: { does: 'edit', target } });
  outbox.add(room, { body: 'after it' });
  const { client_id } = sent[0] as { client_id: string };
  const refused = outbox.refused({ client_id, code: 'deleted', message: 'it is gone', temporary: false });
  expect(refused).toMatchObject({ deed: { does: 'edit' }, status: 'failed', reason: { code: 'deleted' } });
  expect(sent.at(-1)).toMatchObject({ type: 'send', body: 'after it' });
});
