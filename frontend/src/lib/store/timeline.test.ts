import { describe, expect, it } from 'vitest';

import { anna, me, message, page, range } from '@/testing/builders';

import {
  endingAt,
  fromPage,
  LOADING,
  TIMELINE_MAX_MESSAGES,
  withChanged,
  withLive,
  withNewer,
  withOlder,
} from './timeline';
import type { Timeline } from './timeline';

const positions = (timeline: Timeline) => timeline.messages.map(({ position }) => position);

describe('a window from a page', () => {
  it('knows that something newer arrived while the page was on its way', () => {
    expect(fromPage(page([1, 2]), 2).hasAfter).toBe(false);
    expect(fromPage(page([1, 2]), 3).hasAfter).toBe(true);
  });
});

describe('live messages', () => {
  const window = fromPage(page([10, 12], { has_before: true }), 12);

  it('are put in the order of their positions, each id once', () => {
    const after = withLive(window, [message(15), message(14), message(12), message(15)]);
    expect(positions(after)).toEqual([10, 12, 14, 15]);
  });

  it('drop a second log record of the same message', () => {
    expect(positions(withLive(window, [message(20, { id: 'm12' })]))).toEqual([10, 12]);
  });

  it('are not joined to a window that does not reach the present', () => {
    const behind = { ...window, hasAfter: true };
    expect(withLive(behind, [message(15)])).toBe(behind);
    expect(positions(withLive(behind, [message(11)]))).toEqual([10, 11, 12]);
  });

  it('are not joined before a window that has older messages to fetch', () => {
    expect(withLive(window, [message(5)])).toBe(window);
    expect(positions(withLive({ ...window, hasBefore: false }, [message(5)]))).toEqual([5, 10, 12]);
  });

  it('wait for history while it loads', () => {
    expect(withLive(LOADING, [message(5)])).toBe(LOADING);
  });

  it('push the oldest out at the limit', () => {
    const full = fromPage(page(range(1, TIMELINE_MAX_MESSAGES)), TIMELINE_MAX_MESSAGES);
    const after = withLive(full, [message(TIMELINE_MAX_MESSAGES + 1)]);
    expect(after.messages.length).toBeLessThan(TIMELINE_MAX_MESSAGES);
    expect(after.hasBefore).toBe(true);
    expect(after.messages.at(-1)?.position).toBe(TIMELINE_MAX_MESSAGES + 1);
  });
});

describe('older and newer pages', () => {
  const window = fromPage(page([10, 12], { has_before: true, has_after: true }), 30);

  it('are joined at their end', () => {
    const older = withOlder({ ...window, older: 'loading' }, page([7, 8]));
    expect(positions(older)).toEqual([7, 8, 10, 12]);
    expect([older.hasBefore, older.hasAfter, older.older]).toEqual([false, true, 'idle']);
  });

  it('reach the present only when the newest known message is there', () => {
    expect(withNewer(window, page([14, 20]), 30).hasAfter).toBe(true);
    expect(withNewer(window, page([14, 30]), 30).hasAfter).toBe(false);
  });

  it('let the far end go at the limit', () => {
    const window = fromPage(page(range(1_000, 1_000 + TIMELINE_MAX_MESSAGES - 1), { has_before: true }), 0);
    const after = withOlder(window, page(range(900, 999)));
    expect(after.messages[0]?.position).toBe(900);
    expect(after.hasAfter).toBe(true);
    expect(after.messages.length).toBeLessThan(TIMELINE_MAX_MESSAGES);
  });
});

describe('changes to what is there', () => {
  const window = fromPage(page([10, 12, 15], { has_before: true }), 15);
  const bodies = (timeline: Timeline) => timeline.messages.map(({ body }) => body);
  const edit = (at: number, target: number) => ({
    kind: 'edited' as const,
    at,
    target,
    by: anna.id,
    body: `edit ${at}`,
  });

  it('find it by its position, and leave the rest as it is', () => {
    const after = withChanged(window, [edit(20, 12), edit(21, 11), edit(22, 900)], me.id);
    expect(bodies(after)).toEqual(['text 10', 'edit 20', 'text 15']);
    expect(after.messages[0]).toBe(window.messages[0]);
    expect(withChanged(after, [edit(20, 12)], me.id)).toBe(after);
  });

  it('also come with history, which knows the last of them', () => {
    const told = (position: number, changed: number) =>
      message(position, { body: `told ${changed}`, changed });
    const after = withChanged(window, [edit(20, 12)], me.id);
    expect(bodies(withLive(after, [told(10, 25), told(12, 25), told(15, 25)]))).toEqual([
      'told 25',
      'told 25',
      'told 25',
    ]);
    // An answer from before the edit.
    expect(bodies(withLive(after, [told(12, 19)]))[1]).toBe('edit 20');
    expect(withLive(after, [message(12)])).toBe(after);
  });
});

describe('a gap', () => {
  it('ends the window where it begins', () => {
    const window = endingAt(fromPage(page([1, 2, 9]), 9), 2);
    expect(positions(window)).toEqual([1, 2]);
    expect(window.hasAfter).toBe(true);
  });
});
