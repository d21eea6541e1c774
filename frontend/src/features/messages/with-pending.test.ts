import { describe, expect, it } from 'vitest';

import type { Deed, OutboxItem } from '@/lib/outbox/outbox-item';
import { anna, me, message } from '@/testing/builders';

import { withPending } from './with-pending';

const item = (deed: Deed, change: Partial<OutboxItem> = {}): OutboxItem => ({
  client_id: 'x',
  owner: me.id,
  page: 'p',
  conversation: 'c',
  to: null,
  body: '',
  created_at: 1,
  status: 'sending',
  deed, ...change,
}); // prettier-ignore
const target = { position: 7, id: 'm7' };
const heart = (users: string[]) => ({ emoji: '❤️', count: users.length, mine: users.includes(me.id), users });
const window = [message(5), message(7, { sender: me.id, reactions: [heart([anna.id])] })];
const seen = (...pending: OutboxItem[]) => withPending(window, pending, me.id)[1];

describe('what is under way', () => {
  it('is shown at once, the last of it', () => {
    expect(seen(item({ does: 'edit', target }, { body: 'new' }))).toMatchObject({
      body: 'new',
      waiting: true,
    });
    expect(seen(item({ does: 'delete', target }))).toMatchObject({ body: '', deleted: { by: me.id } });
    const on = item({ does: 'react', target, emoji: '❤️', on: true });
    const off = item({ does: 'react', target, emoji: '❤️', on: false });
    expect(seen(on)?.reactions).toEqual([heart([anna.id, me.id])]);
    expect(seen(on, on)?.reactions).toEqual([heart([anna.id, me.id])]);
    expect(seen(on, off)?.reactions).toEqual([heart([anna.id])]);
    expect(seen(item({ does: 'pin', target, on: true }))?.pinned).toBe(7);
  });

  it('leaves the rest as it is, and all of it when nothing is', () => {
    expect(withPending(window, [], me.id)).toBe(window);
    expect(withPending(window, [item({ does: 'delete', target })], me.id)[0]).toBe(window[0]);
  });

  it('is not shown when it was refused', () => {
    expect(withPending(window, [item({ does: 'delete', target }, { status: 'failed' })], me.id)).toBe(window);
  });
});
