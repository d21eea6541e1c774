import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CONVERSATIONS_MAX, USERS_MAX, Watching } from './watching';
import type { Watch } from './watching';

const SECOND = 1_000;
const watch = (users: string[], conversations: string[] = []): Watch => ({ users, conversations });

function connected(random = 0) {
  const watching = new Watching();
  let nowMs = 0;
  watching.connected(nowMs);
  return {
    watching,
    at: () => nowMs,
    /** What is said until then, and when. */
    until: (endMs: number): [number, Watch][] => {
      const said: [number, Watch][] = [];
      for (;;) {
        const dueMs = watching.deadlineMs();
        if (dueMs > endMs) break;
        nowMs = Math.max(nowMs, dueMs);
        watching.hasEnded(nowMs);
        const now = watching.due(nowMs, random);
        if (now) said.push([nowMs, now]);
      }
      nowMs = endMs;
      return said;
    },
  };
}

describe('what is said', () => {
  it('is nothing as long as nothing is in view', () => {
    expect(connected().until(3_600 * SECOND)).toEqual([]);
  });

  it('is all that came into view together, the latest first', () => {
    const { watching, until } = connected();
    watching.show('anna', 0);
    watching.show('ben', 10);
    watching.open('c', 20);
    const said = until(10 * SECOND);
    expect(said.map(([, one]) => one)).toEqual([watch(['ben', 'anna'], ['c'])]);
    expect(said[0]?.[0]).toBeLessThan(200);
  });

  it('is said at most once a second, however much comes', () => {
    const { watching, until } = connected();
    const said: number[] = [];
    for (let ms = 0; ms < 5_000; ms += 50) {
      watching.show(`user ${ms}`, ms);
      said.push(...until(ms).map(([at]) => at));
    }
    expect(said.length).toBeGreaterThan(3);
    said.slice(1).forEach((at, index) => expect(at - said[index]!).toBeGreaterThanOrEqual(1_000));
  });

  it('is not changed by who goes out of view and comes back soon', () => {
    const { watching, until } = connected();
    watching.show('anna', 0);
    watching.show('ben', 0);
    until(SECOND);
    watching.hide('ben', SECOND);
    expect(until(10 * SECOND)).toEqual([]);
    watching.show('ben', 10 * SECOND);
    expect(until(60 * SECOND)).toEqual([]);
    watching.hide('ben', 60 * SECOND);
    expect(until(100 * SECOND).map(([, one]) => one)).toEqual([watch(['anna'])]);
    watching.hide('anna', 100 * SECOND);
    expect(until(600 * SECOND).map(([, one]) => one)).toEqual([watch([])]);
  });

  it('counts how often somebody is in view', () => {
    const { watching, until } = connected();
    watching.show('anna', 0);
    watching.show('anna', 0);
    watching.hide('anna', 0);
    expect(until(200 * SECOND).map(([, one]) => one)).toEqual([watch(['anna'])]);
  });

  it('is said again before it ends, earlier by chance', () => {
    for (const [random, every] of [
      [0, 240],
      [0.5, 225],
      [0.999, 210.03],
    ] as const) {
      const { watching, until } = connected(random);
      watching.show('anna', 0);
      const [first, second, third] = until(800 * SECOND).map(([at]) => at);
      expect(second! - first!).toBe(every * SECOND);
      expect(third! - second!).toBe(every * SECOND);
    }
  });

  it('is never more than the server watches, and those in view rather than others', () => {
    const { watching, until } = connected();
    for (let n = 0; n < 250; n += 1) watching.show(`user ${n}`, 0);
    for (let n = 0; n < 80; n += 1) watching.open(`c ${n}`, 0);
    const [[, said] = [0, watch([])]] = until(SECOND);
    expect(said.users).toHaveLength(USERS_MAX);
    expect(said.conversations).toHaveLength(CONVERSATIONS_MAX);
    expect(said.users[0]).toBe('user 249');
    expect(said.conversations.at(-1)).toBe('c 79');
    for (let n = 100; n < 250; n += 1) watching.hide(`user ${n}`, SECOND);
    watching.show('user 3', SECOND);
    const [[, later] = [0, watch([])]] = until(5 * SECOND);
    for (let n = 0; n < 100; n += 1) expect(later.users).toContain(`user ${n}`);
    expect(later.users).toHaveLength(USERS_MAX);
  });
});

describe('the connection', () => {
  it('makes everything said anew, at once', () => {
    const { watching, until } = connected();
    watching.show('anna', 0);
    until(SECOND);
    watching.disconnected();
    expect(watching.watches('anna')).toBe(false);
    expect(until(900 * SECOND)).toEqual([]);
    watching.connected(900 * SECOND);
    expect(until(900 * SECOND)).toEqual([[900 * SECOND, watch(['anna'])]]);
  });

  it('is not used while nobody looks at the page', () => {
    const { watching, until } = connected();
    watching.show('anna', 0);
    until(SECOND);
    watching.pause(true, SECOND);
    watching.show('ben', SECOND);
    expect(until(500 * SECOND)).toEqual([]);
    watching.pause(false, 500 * SECOND);
    expect(until(500 * SECOND)).toEqual([[500 * SECOND, watch(['ben', 'anna'])]]);
  });
});

describe('what was told', () => {
  it('holds for five minutes after what the server took last', () => {
    const { watching, until } = connected();
    watching.show('anna', 0);
    const [[at] = [0]] = until(SECOND);
    watching.told(['anna']);
    watching.pause(true, SECOND);
    expect(watching.deadlineMs()).toBe(at + 300 * SECOND);
    expect(watching.hasEnded(at + 300 * SECOND - 1)).toBe(false);
    expect(watching.hasEnded(at + 300 * SECOND)).toBe(true);
    expect(watching.hasEnded(at + 300 * SECOND)).toBe(false);
  });

  it('goes on holding when it is said again, but not when the server refuses that', () => {
    const { watching, until } = connected();
    watching.show('anna', 0);
    watching.show('ben', 0);
    until(SECOND);
    watching.told(['anna', 'ben']);
    const [[again] = [0]] = until(240 * SECOND);
    // Somebody changes: that is not the answer.
    watching.told(['anna']);
    watching.refused(again);
    expect(watching.hasEnded(again)).toBe(false);
    const [[retry] = [0]] = until(again + 5 * SECOND);
    expect(retry).toBe(again + 5 * SECOND);
    watching.told(['ben', 'anna']);
    expect(watching.hasEnded(again + 300 * SECOND)).toBe(false);
    watching.refused(again + SECOND);
    expect(watching.hasEnded(retry + 300 * SECOND)).toBe(true);
  });

  it('an error about something else asks for nothing', () => {
    const { watching, until } = connected();
    watching.show('anna', 0);
    until(SECOND);
    watching.told(['anna']);
    watching.refused(SECOND);
    expect(until(100 * SECOND)).toEqual([]);
  });
});

it('whatever happens, what was said last is what is in view, within its bounds', () => {
  const step = fc.record({
    does: fc.constantFrom('show', 'hide', 'open', 'close', 'drop', 'connect', 'look', 'turn away'),
    who: fc.nat(5),
    afterMs: fc.nat(40_000),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { watching, until, at } = connected(0.3);
      const inView = new Map<string, number>();
      let [live, looks] = [true, true];
      let said: Watch | undefined;
      for (const { does, who, afterMs } of steps) {
        const before = at();
        const id = `${who}`;
        if (does === 'show') {
          watching.show(id, before);
          inView.set(id, (inView.get(id) ?? 0) + 1);
        } else if (does === 'hide' && (inView.get(id) ?? 0) > 0) {
          watching.hide(id, before);
          inView.set(id, inView.get(id)! - 1);
        } else if (does === 'open') watching.open(id, before);
        else if (does === 'close') watching.close(id, before);
        else if (does === 'drop') {
          watching.disconnected();
          [live, said] = [false, undefined];
        } else if (does === 'connect') {
          watching.connected(before);
          [live, said] = [true, undefined];
        } else if (does === 'look' || does === 'turn away') {
          looks = does === 'look';
          watching.pause(!looks, before);
        }
        said = until(before + afterMs).at(-1)?.[1] ?? said;
      }
      const end = at() + 30_000;
      said = until(end).at(-1)?.[1] ?? said;
      if (!live || !looks) return;
      const shown = [...inView].filter(([, times]) => times > 0).map(([id]) => id);
      for (const id of shown) expect(said?.users).toContain(id);
      // Nobody stays longer than they linger and what was said lasts.
      said = until(end + 300_000).at(-1)?.[1] ?? said;
      expect([...(said?.users ?? [])].sort()).toEqual(shown.sort());
    }),
  );
});
