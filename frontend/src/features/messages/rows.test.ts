import { describe, expect, it } from 'vitest';

import type { OutboxItem } from '@/lib/outbox/outbox-item';
import { itemOf } from '@/lib/timeline/event';
import { anna, me, message } from '@/testing/builders';
import { event, said } from '@/testing/rooms';

import { compareRows, rowsOf } from './rows';

const at = (position: number, time: string, sender = anna.id) =>
  message(position, { sender, sent_at: new Date(`2026-11-${time}`).toISOString() });

const unsent: OutboxItem = {
  client_id: 'x',
  owner: me.id,
  page: 'p',
  conversation: 'c',
  to: anna.id,
  body: 'new',
  created_at: Date.parse('2026-11-21T10:00:00'),
  status: 'queued',
};

describe('rowsOf', () => {
  it('begins a run with another sender, a pause, or a day', () => {
    const rows = rowsOf(
      [
        at(1, '20T23:50:00'),
        at(2, '20T23:54:00'),
        at(3, '20T23:55:00', me.id),
        at(4, '20T23:56:00'),
        at(5, '21T00:00:00'),
        at(6, '21T00:04:59'),
        at(7, '21T00:10:00'),
      ],
      [],
      me.id,
      null,
      true,
    );
    expect(rows.map((row) => row.startsRun)).toEqual([true, false, true, true, true, false, true]);
    expect(rows.map((row) => row.endsRun)).toEqual([false, true, true, true, false, true, true]);
    expect(rows.map((row) => row.startsDay)).toEqual([true, false, false, false, true, false, false]);
  });

  it('draws the unread line before the first message of somebody else', () => {
    const messages = [
      at(1, '21T09:00:00'),
      at(2, '21T09:01:00', me.id),
      at(3, '21T09:02:00'),
      at(4, '21T09:03:00'),
    ];
    const lines = (after: number | null, fromStart = true) =>
      rowsOf(messages, [], me.id, after, fromStart).map((row) => row.startsUnread);
    expect(lines(1)).toEqual([false, false, true, false]);
    expect(lines(0)).toEqual([true, false, false, false]);
    expect(lines(4)).toEqual([false, false, false, false]);
    expect(lines(1, false)).toEqual([false, false, true, false]);
    expect(lines(0, false)).toEqual([false, false, false, false]);
    expect(lines(null)).toEqual([false, false, false, false]);
  });

  it('keeps the key of a message when it is accepted', () => {
    const before = rowsOf([at(1, '21T09:00:00')], [unsent], me.id, null, true);
    const accepted = message(2, { sender: me.id, client_id: 'x' });
    const after = rowsOf([at(1, '21T09:00:00'), accepted], [], me.id, null, true);
    expect(after.map(({ key }) => key)).toEqual(before.map(({ key }) => key));
    expect(before[1]?.position).toBeNull();
    expect(after[1]?.unsent).toBeNull();
  });
});

describe('rows that stay as they were', () => {
  it('are the same objects, so that only what changed is rendered again', () => {
    const messages = [at(1, '21T09:00:00'), at(2, '21T09:01:00'), at(3, '21T09:02:00')];
    const before = rowsOf(messages, [], me.id, null, true);
    const after = rowsOf([...messages, at(4, '21T09:03:00')], [], me.id, null, true);
    expect(after.map((row, index) => row === before[index])).toEqual([true, true, false, false]);
    expect(rowsOf(messages, [], me.id, 1, true)[1]).not.toBe(before[1]);
  });
});

describe('a message that is both in history and unsent', () => {
  it('is shown once, as sent', () => {
    const rows = rowsOf([message(2, { sender: me.id, client_id: 'x' })], [unsent], me.id, null, true);
    expect(rows.map(({ key, position }) => [key, position])).toEqual([['x', 2]]);
  });
});

describe('compareRows', () => {
  const rows = (...positions: number[]) =>
    rowsOf(
      positions.map((position) => at(position, '21T09:00:00')),
      [],
      me.id,
      null,
      true,
    );

  it('tells what happened at the start', () => {
    expect(compareRows(rows(3, 4), rows(3, 4, 5))).toBe('same-start');
    expect(compareRows(rows(3, 4), rows(1, 2, 3, 4))).toBe('shifted');
    expect(compareRows(rows(1, 2, 3), rows(3, 4))).toBe('shifted');
    expect(compareRows(rows(1, 2), rows(8, 9))).toBe('replaced');
    expect(compareRows([], rows(8, 9))).toBe('replaced');
  });
});

it('tells who comes and goes between two messages in one row, which stays the same object', () => {
  const items = [
    event('room_created', 1),
    event('joined', 2),
    event('left', 3),
    said(4),
    event('joined', 5),
    event('room_changed', 6),
  ].map(itemOf);
  const rows = rowsOf(items, [], me.id, 0, true);
  expect(rows.map(({ events }) => events.map(({ kind }) => kind))).toEqual([
    ['room_created'],
    ['joined', 'left'],
    [],
    ['joined'],
    ['room_changed'],
  ]);
  expect(rows[1]).toMatchObject({ key: 'e2', position: 3, quiet: true });
  // What happened is nothing new to read.
  expect(rows.map(({ startsUnread }) => startsUnread)).toEqual([false, false, true, false, false]);
  expect(rowsOf(items, [], me.id, 0, true)[1]).toBe(rows[1]);
});
