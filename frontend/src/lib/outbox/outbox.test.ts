import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { ClientFrame } from '@/lib/socket/frames';
import { to } from '@/testing/builders';

import type { OutboxItem } from './outbox-item';
import { Outbox, OUTBOX_MAX_ITEMS } from './outbox';
import { IdbOutboxStorage } from './outbox-storage';
import type { OutboxStorage } from './outbox-storage';

type Send = Extract<ClientFrame, { type: 'send' }>;

class MemoryStorage implements OutboxStorage {
  readonly items = new Map<string, OutboxItem>();
  load = (owner: string) => Promise.resolve([...this.items.values()].filter((item) => item.owner === owner));
  put = (item: OutboxItem) => Promise.resolve(this.items.set(item.client_id, item).size > 0);
  delete = (clientId: string) => void this.items.delete(clientId);
  clear = async () => this.items.clear();
}

function setUp(storage = new MemoryStorage(), page = 'page') {
  const sent: Send[] = [];
  const line = { up: true };
  const outbox = new Outbox({
    owner: 'me',
    page,
    storage,
    send: (frame) => line.up && sent.push(frame as Send) > 0,
    onChange: () => undefined,
  });
  const states = () => outbox.items.map(({ body, status }) => `${body}:${status}`);
  return { outbox, sent, line, states, storage, bodies: () => sent.map(({ body }) => body) };
}

const temporary = { code: 'log_unavailable', message: 'no log', temporary: true };
const forGood = { code: 'invalid_field', message: 'no', temporary: false };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('sends anew what was refused because its id names another message', () => {
  const { outbox, sent, states, storage } = setUp();
  outbox.connected();
  outbox.add(to('anna'), { body: '1' });
  const { client_id } = sent[0]!;
  outbox.refused({ client_id, code: 'client_id_reused', message: 'no', temporary: false });
  outbox.retry(client_id);
  expect(states()).toEqual(['1:sending']);
  expect(sent).toEqual([
    sent[0],
    { type: 'send', client_id: expect.any(String) as string, to: 'anna', body: '1' },
  ]);
  expect(sent[1]!.client_id).not.toBe(client_id);
  expect([...storage.items.keys()]).toEqual([sent[1]!.client_id]);
});

describe('order', () => {
  it('has one message to a person under way at a time', () => {
    const { outbox, bodies, sent } = setUp();
    outbox.connected();
    for (const body of ['1', '2', '3']) outbox.add(to('anna'), { body });
    outbox.add(to('ben'), { body: 'b' });
    expect(bodies()).toEqual(['1', 'b']);
    outbox.accepted(sent[0]!.client_id);
    expect(bodies()).toEqual(['1', 'b', '2']);
  });

  it('waits until there is a connection', () => {
    const { outbox, bodies, states } = setUp();
    outbox.add(to('anna'), { body: '1' });
    expect(states()).toEqual(['1:queued']);
    outbox.connected();
    expect(bodies()).toEqual(['1']);
  });

  it('lets nobody pass one that was refused for now', () => {
    const { outbox, sent, bodies, states } = setUp();
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    outbox.add(to('anna'), { body: '2' });
    outbox.refused({ ...temporary, client_id: sent[0]!.client_id });
    expect(states()).toEqual(['1:waiting', '2:queued']);
    vi.advanceTimersByTime(1_000);
    expect(bodies()).toEqual(['1', '1']);
  });

  it('goes on behind one that was refused for good', () => {
    const { outbox, sent, bodies, states } = setUp();
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    outbox.add(to('anna'), { body: '2' });
    outbox.refused({ ...forGood, client_id: sent[0]!.client_id });
    expect(bodies()).toEqual(['1', '2']);
    expect(states()).toEqual(['1:failed', '2:sending']);
  });
});

describe('once', () => {
  it('sends again under the same client_id, and says so, when the connection was lost', () => {
    const { outbox, sent } = setUp();
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    outbox.disconnected();
    outbox.connected();
    expect(sent[1]).toEqual({ ...sent[0], retry: true });
    expect(sent[0]).not.toHaveProperty('retry');
  });

  it('does not claim a repeat for one that was never sent', () => {
    const { outbox, sent, line } = setUp();
    line.up = false;
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    line.up = true;
    outbox.connected();
    expect(sent).toHaveLength(1);
    expect(sent[0]).not.toHaveProperty('retry');
  });

  it('repeats what is not answered', () => {
    const { outbox, sent } = setUp();
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    vi.advanceTimersByTime(15_000);
    expect(sent).toHaveLength(2);
    expect(sent[1]?.retry).toBe(true);
  });

  it('takes the answer of a repeat once', () => {
    const { outbox, sent } = setUp();
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    const id = sent[0]!.client_id;
    expect(outbox.accepted(id)?.body).toBe('1');
    expect(outbox.accepted(id)).toBeUndefined();
    outbox.refused({ ...temporary, client_id: id });
    vi.advanceTimersByTime(60_000);
    expect(sent).toHaveLength(1);
  });

  it('begins new ids with the prefix of the connection, and leaves alone those that wait', () => {
    const { outbox, sent } = setUp();
    outbox.add(to('anna'), { body: 'before' });
    const prefix = `1${'p'.repeat(28)}.`;
    outbox.idPrefix = prefix;
    outbox.connected();
    outbox.add(to('ben'), { body: 'after' });
    expect(sent.map(({ client_id }) => client_id.startsWith(prefix))).toEqual([false, true]);
    expect(sent[1]!.client_id).toMatch(/^[ -~]{1,64}$/);
    outbox.idPrefix = 'another';
    outbox.disconnected();
    outbox.connected();
    expect(sent[3]!.client_id).toBe(sent[1]!.client_id);
  });

  it('chooses ids that the server takes', () => {
    const { outbox, sent } = setUp();
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    expect(sent[0]?.client_id).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('refusals', () => {
  it('waits longer after each, at least as long as the server asks, and keeps the reason in view', () => {
    const { outbox, sent } = setUp();
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    const id = sent[0]!.client_id;
    outbox.refused({ ...temporary, client_id: id, retry_after_ms: 5_000 });
    vi.advanceTimersByTime(4_999);
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sent).toHaveLength(2);
    expect(outbox.items[0]?.reason).toEqual({ code: 'log_unavailable', message: 'no log' });
    outbox.refused({ ...temporary, client_id: id });
    vi.advanceTimersByTime(1_999);
    expect(sent).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(sent).toHaveLength(3);
  });

  it('never waits longer than half a minute by itself', () => {
    const { outbox, sent } = setUp();
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    for (let i = 0; i < 12; i += 1) {
      const before = sent.length;
      outbox.refused({ ...temporary, client_id: sent[0]!.client_id });
      vi.advanceTimersByTime(30_000);
      expect(sent.length).toBeGreaterThan(before);
    }
  });

  it('tries one that failed only when the person says so, under the same client_id', () => {
    const { outbox, sent, states } = setUp();
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    const id = sent[0]!.client_id;
    outbox.refused({ ...forGood, client_id: id });
    outbox.disconnected();
    outbox.connected();
    vi.advanceTimersByTime(600_000);
    expect(sent).toHaveLength(1);
    outbox.retry(id);
    expect(sent[1]).toEqual({ ...sent[0], retry: true });
    expect(states()).toEqual(['1:sending']);
    expect(outbox.items[0]).not.toHaveProperty('reason');
  });

  it('takes no more than its limit', () => {
    const { outbox } = setUp();
    for (let i = 0; i < OUTBOX_MAX_ITEMS; i += 1) expect(outbox.add(to('anna'), { body: 'x' })).toBe(true);
    expect(outbox.add(to('anna'), { body: 'x' })).toBe(false);
  });
});

describe('the next page', () => {
  it('takes over in order, in front of its own, and marks all as repeats', async () => {
    const first = setUp();
    first.outbox.add(to('anna'), { body: '1' });
    vi.advanceTimersByTime(1);
    first.outbox.add(to('anna'), { body: '2' });
    first.outbox.dispose();
    const second = setUp(first.storage, 'page 2');
    second.outbox.add(to('anna'), { body: '3' });
    await second.outbox.adopt(new Set());
    second.outbox.connected();
    for (let i = 0; i < 3; i += 1) second.outbox.accepted(second.sent[i]!.client_id);
    expect(second.sent.map(({ body, retry }) => [body, retry])).toEqual([
      ['1', true],
      ['2', true],
      ['3', undefined],
    ]);
  });

  it('takes over in order whatever the clock did meanwhile', async () => {
    const first = setUp();
    const texts = Array.from({ length: 12 }, (_, index) => String(index));
    for (const [index, text] of texts.entries()) {
      if (index === 6) vi.setSystemTime(Date.now() - 3_600_000);
      first.outbox.add(to('anna'), { body: text });
    }
    const second = setUp(first.storage, 'page 2');
    await second.outbox.adopt(new Set());
    expect(second.outbox.items.map(({ body }) => body)).toEqual(texts);
  });

  it('leaves alone what belongs to a page that is open, and to others', async () => {
    const first = setUp();
    first.outbox.add(to('anna'), { body: '1' });
    const second = setUp(first.storage, 'page 2');
    await second.outbox.adopt(new Set(['page']));
    expect(second.states()).toEqual([]);
    await second.outbox.adopt(new Set());
    await second.outbox.adopt(new Set());
    expect(second.states()).toEqual(['1:queued']);
  });

  it('does not bring back what was accepted while the storage was read', async () => {
    const { outbox, sent, storage, states } = setUp();
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    const stored = [...storage.items.values()];
    storage.load = async () => stored;
    const adoption = outbox.adopt(new Set());
    outbox.accepted(sent[0]!.client_id);
    await adoption;
    expect(states()).toEqual([]);
  });

  it('knows what failed, and why', async () => {
    const first = setUp();
    first.outbox.connected();
    first.outbox.add(to('anna'), { body: '1' });
    first.outbox.refused({ ...forGood, client_id: first.sent[0]!.client_id });
    const second = setUp(first.storage, 'page 2');
    await second.outbox.adopt(new Set());
    second.outbox.connected();
    expect(second.states()).toEqual(['1:failed']);
    expect(second.outbox.items[0]?.reason?.code).toBe('invalid_field');
    expect(second.sent).toEqual([]);
  });

  it('finds nothing after a discard or an acceptance', () => {
    const { outbox, sent, storage } = setUp();
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    outbox.add(to('ben'), { body: '2' });
    outbox.accepted(sent[0]!.client_id);
    outbox.discard(sent[1]!.client_id);
    expect(storage.items.size).toBe(0);
  });
});

describe('what could not be stored', () => {
  it('is known to be at risk, until it is accepted', async () => {
    const storage = new MemoryStorage();
    storage.put = () => Promise.resolve(false);
    const { outbox, sent } = setUp(storage);
    expect(outbox.atRisk).toBe(false);
    outbox.connected();
    outbox.add(to('anna'), { body: '1' });
    await vi.advanceTimersByTimeAsync(0);
    expect(outbox.atRisk).toBe(true);
    outbox.accepted(sent[0]!.client_id);
    expect(outbox.atRisk).toBe(false);
  });

  it('is at risk while it is being written, and not after it', async () => {
    const { outbox } = setUp();
    outbox.add(to('anna'), { body: '1' });
    expect(outbox.atRisk).toBe(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(outbox.atRisk).toBe(false);
  });
});

describe('all that is unsent', () => {
  it('is counted over the pages of one person, each once', async () => {
    const first = setUp();
    first.outbox.add(to('anna'), { body: '1' });
    first.storage.items.set('theirs', { ...first.outbox.items[0]!, client_id: 'theirs', owner: 'other' });
    const second = setUp(first.storage, 'page 2');
    second.outbox.add(to('anna'), { body: '2' });
    expect(await first.outbox.countAll()).toBe(2);
    expect(await second.outbox.countAll()).toBe(2);
  });
});

describe('IdbOutboxStorage', () => {
  const item: OutboxItem = {
    client_id: 'x',
    owner: 'me',
    page: 'p',
    conversation: 'c',
    to: 'anna',
    body: 'b',
    created_at: 1,
    status: 'queued',
  };
  beforeEach(() => void vi.useRealTimers());
  afterEach(() => vi.unstubAllGlobals());

  it('keeps items across openings, by owner', async () => {
    const storage = new IdbOutboxStorage('test');
    const written = [
      storage.put(item),
      storage.put({ ...item, client_id: 'y', owner: 'other' }),
      storage.put({ ...item, client_id: 'z' }),
    ];
    storage.delete('z');
    expect(await storage.load('me')).toEqual([item]);
    expect(await new IdbOutboxStorage('test').load('me')).toEqual([item]);
    expect(await Promise.all(written)).toEqual([true, true, true]);
  });

  it('forgets one person, and nobody else', async () => {
    const storage = new IdbOutboxStorage('test-clear');
    for (const client_id of ['1', '2']) void storage.put({ ...item, client_id });
    void storage.put({ ...item, client_id: '3', owner: 'other' });
    await storage.clear('me');
    expect(await storage.load('me')).toEqual([]);
    expect(await storage.load('other')).toHaveLength(1);
  });

  it.each([
    ['is missing', undefined],
    [
      'is forbidden',
      {
        open: () => {
          throw new DOMException('no', 'SecurityError');
        },
      },
    ],
  ])('where storage %s, nothing breaks and nothing is claimed', async (_, indexedDB) => {
    vi.stubGlobal('indexedDB', indexedDB);
    const storage = new IdbOutboxStorage('test-none');
    expect(await storage.put(item)).toBe(false);
    storage.delete('x');
    await storage.clear('me');
    expect(await storage.load('me')).toEqual([]);
  });

  it('says so when the disk is full, and goes on when there is room', async () => {
    const full = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('no room', 'QuotaExceededError');
    });
    const storage = new IdbOutboxStorage('test-full');
    expect(await storage.put(item)).toBe(false);
    full.mockRestore();
    expect(await storage.put(item)).toBe(true);
    expect(await storage.load('me')).toEqual([item]);
  });
});
