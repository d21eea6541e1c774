// The database as the first version wrote it, and a tab of that version beside one of this.
import { openDB } from 'idb';
import { expect, it } from 'vitest';

import { directConversation } from '@/lib/ids/direct-conversation';

import { Outbox } from './outbox';
import type { OutboxItem } from './outbox-item';
import { IdbOutboxStorage } from './outbox-storage';

const owner = '0192f0c1-0000-7000-8000-000000000001';
const anna = '0192f0c1-0000-7000-8000-000000000002';
const chat = directConversation(owner, anna)!;

/** What pages of the first version did to open it. */
const openOfFirstVersion = (name: string) =>
  openDB(name, 1, {
    upgrade: (db) => {
      db.createObjectStore('outbox', { keyPath: 'client_id' }).createIndex('owner', 'owner');
    },
  });

/** What they put there. */
const item = (client_id: string, page: string, status = 'queued') => ({
  client_id, owner, page, to: anna, body: `text of ${client_id}`, created_at: 1, status,
}); // prettier-ignore

function page(storage: IdbOutboxStorage) {
  const sent: unknown[] = [];
  const outbox = new Outbox({
    owner,
    page: 'of this version',
    storage,
    send: (frame) => sent.push(frame) > 0,
    onChange: () => undefined,
  });
  outbox.connected();
  return { outbox, sent };
}

it('what the first version left unsent is sent, to its person and under its id', async () => {
  const old = await openOfFirstVersion('left');
  await old.put('outbox', item('x', 'closed'));
  await old.put('outbox', { ...item('y', 'closed', 'failed'), reason: { code: 'a', message: 'b' } });
  old.close();
  const storage = new IdbOutboxStorage('left');
  const { outbox, sent } = page(storage);
  await outbox.adopt(new Set());
  expect(sent).toEqual([{ type: 'send', client_id: 'x', to: anna, body: 'text of x', retry: true }]);
  expect(outbox.items).toMatchObject([
    { client_id: 'x', conversation: chat, to: anna, status: 'sending' },
    { client_id: 'y', conversation: chat, status: 'failed', reason: { code: 'a' } },
  ]);
  expect(await storage.load(owner)).toMatchObject([
    { client_id: 'x', conversation: chat },
    { client_id: 'y', conversation: chat },
  ]);
});

it('a tab of the first version goes on beside one of this, and each takes over from the other', async () => {
  const old = await openOfFirstVersion('both');
  await old.put('outbox', item('of the old tab', 'old tab'));
  // The old connection is open all the time: nothing waits for it.
  const storage = new IdbOutboxStorage('both');
  const { outbox } = page(storage);
  await outbox.adopt(new Set(['old tab']));
  expect(outbox.items).toEqual([]);
  outbox.add({ conversation: chat, to: anna }, { body: 'of the new tab' });
  await outbox.adopt(new Set(['old tab']));
  expect(outbox.atRisk).toBe(false);
  await old.put('outbox', item('still written', 'old tab'));
  const seen = (await old.getAllFromIndex('outbox', 'owner', owner)) as OutboxItem[];
  expect(seen.map(({ body, to }) => [body, to])).toEqual(
    expect.arrayContaining([
      ['of the new tab', anna],
      ['text of still written', anna],
    ]),
  );
  // The old tab is closed: what is its own comes here.
  await outbox.adopt(new Set());
  expect(outbox.items.map(({ body, conversation }) => [body, conversation])).toEqual([
    ['text of of the old tab', chat],
    ['text of still written', chat],
    ['of the new tab', chat],
  ]);
});
