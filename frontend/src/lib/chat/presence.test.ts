import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { ClientFrame } from '@/lib/socket/frames';
import { message } from '@/testing/builders';

import { Presence } from './presence';

const SECOND = 1_000;
let visibility: DocumentVisibilityState;

beforeEach(() => {
  vi.useFakeTimers();
  visibility = 'visible';
  vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => visibility);
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const sent: ClientFrame[] = [];
  const presence = new Presence({ me: 'me', send: (frame) => sent.push(frame) > 0, random: () => 0 });
  const said = () => sent.splice(0);
  const state = (user: string) => presence.store.getState().people[user]?.state;
  const tell = (...users: [string, 'online' | 'away' | 'offline', string?][]) =>
    presence.told({
      type: 'presence',
      users: users.map(([user, state, last_seen]) => ({ user, state, ...(last_seen ? { last_seen } : {}) })),
    });
  const writes = (user: string, on = true) => presence.wrote({ type: 'typing', conversation: 'c', user, on });
  const writers = () => presence.store.getState().writers;
  return { presence, said, state, tell, writes, writers };
}

describe('who is here', () => {
  it('is what the server told of those in view', () => {
    const { presence, said, state, tell } = setUp();
    presence.connected();
    const hide = presence.show('anna');
    presence.show('ben');
    vi.advanceTimersByTime(200);
    expect(said()).toEqual([{ type: 'watch', users: ['ben', 'anna'], conversations: [] }]);
    tell(['anna', 'online'], ['ben', 'offline', '2026-11-29T12:00:00.000Z']);
    // Of somebody whom this page does not watch any more.
    tell(['carol', 'online']);
    expect(presence.store.getState().people).toEqual({
      anna: { state: 'online', lastSeenMs: null, status: null },
      ben: { state: 'offline', lastSeenMs: Date.UTC(2026, 10, 29, 12), status: null },
    });
    tell(['anna', 'away']);
    expect(state('anna')).toBe('away');
    hide();
    hide();
    vi.advanceTimersByTime(25 * SECOND);
    expect(said()).toEqual([{ type: 'watch', users: ['ben'], conversations: [] }]);
    expect(state('anna')).toBeUndefined();
    expect(state('ben')).toBe('offline');
  });

  it('is asked for again when one has come to share a conversation with them', () => {
    const { presence, said, state, tell } = setUp();
    presence.connected();
    presence.show('anna');
    vi.advanceTimersByTime(2 * SECOND);
    tell(['anna', 'offline']);
    said();
    presence.follow(['c'], ['c']);
    vi.advanceTimersByTime(2 * SECOND);
    expect(said()).toEqual([]);
    presence.follow(['c', 'd'], ['c']);
    presence.follow(['c', 'd', 'e'], ['c', 'd']);
    vi.advanceTimersByTime(2 * SECOND);
    expect(said()).toEqual([{ type: 'watch', users: ['anna'], conversations: [] }]);
    tell(['anna', 'online']);
    expect(state('anna')).toBe('online');
  });

  it('is not known without a connection, and asked for again with the next', () => {
    const { presence, said, state, tell } = setUp();
    presence.connected();
    presence.show('anna');
    vi.advanceTimersByTime(200);
    tell(['anna', 'online']);
    presence.disconnected();
    expect(state('anna')).toBeUndefined();
    // Too late: of the connection before.
    tell(['anna', 'online']);
    expect(state('anna')).toBeUndefined();
    said();
    presence.connected();
    expect(said()).toEqual([{ type: 'watch', users: ['anna'], conversations: [] }]);
  });

  it('is not known any more when the server has stopped telling', () => {
    const { presence, said, state, tell } = setUp();
    presence.connected();
    presence.show('anna');
    vi.advanceTimersByTime(200);
    tell(['anna', 'online']);
    said();
    visibility = 'hidden';
    presence.hidden();
    vi.advanceTimersByTime(299 * SECOND);
    expect(state('anna')).toBe('online');
    vi.advanceTimersByTime(2 * SECOND);
    expect(state('anna')).toBeUndefined();
    expect(said()).toEqual([{ type: 'idle', on: true }]);
    visibility = 'visible';
    presence.shown();
    expect(said()).toEqual([
      { type: 'idle', on: false },
      { type: 'watch', users: ['anna'], conversations: [] },
    ]);
  });

  it('is asked for again when the database was away, and never of a server that does not know', () => {
    const { presence, said } = setUp();
    const error = { type: 'error' as const, message: '' };
    presence.connected();
    presence.show('anna');
    vi.advanceTimersByTime(200);
    said();
    presence.refused({ ...error, code: 'store_unavailable', temporary: true });
    vi.advanceTimersByTime(5 * SECOND);
    expect(said()).toHaveLength(1);
    presence.refused({ ...error, code: 'unknown_type', temporary: false });
    presence.show('ben');
    vi.advanceTimersByTime(250 * SECOND);
    expect(said()).toEqual([]);
  });
});

describe('whether one is here', () => {
  it('is said after five minutes without a touch, and with the next one', () => {
    const { presence, said } = setUp();
    presence.connected();
    vi.advanceTimersByTime(200 * SECOND);
    presence.touched();
    vi.advanceTimersByTime(299 * SECOND);
    expect(said()).toEqual([]);
    vi.advanceTimersByTime(SECOND);
    expect(said()).toEqual([{ type: 'idle', on: true }]);
    presence.disconnected();
    presence.connected();
    expect(said()).toEqual([{ type: 'idle', on: true }]);
    presence.touched();
    presence.touched();
    expect(said()).toEqual([{ type: 'idle', on: false }]);
  });
});

describe('who writes', () => {
  it('is shown until the last word of it is six seconds old', () => {
    const { presence, writes, writers } = setUp();
    presence.connected();
    const changes = vi.fn();
    presence.store.subscribe(changes);
    writes('anna');
    writes('me');
    vi.advanceTimersByTime(3 * SECOND);
    writes('anna');
    vi.advanceTimersByTime(5 * SECOND);
    expect(writers()).toEqual({ c: ['anna'] });
    vi.advanceTimersByTime(SECOND);
    expect(writers()).toEqual({});
    expect(changes).toHaveBeenCalledTimes(2);
  });

  it('has written what they sent', () => {
    const { presence, writes, writers } = setUp();
    presence.connected();
    writes('anna');
    presence.spoke(message(1, { sender: 'anna' }));
    expect(writers()).toEqual({});
    writes('anna');
    presence.disconnected();
    expect(writers()).toEqual({});
  });

  it('is told of oneself, and that one went', () => {
    const { presence, said } = setUp();
    presence.connected();
    const leave = presence.open('c');
    vi.advanceTimersByTime(200);
    said();
    presence.typed('c', false);
    presence.typed('c', false);
    leave();
    expect(said()).toEqual([
      { type: 'typing', conversation: 'c', on: true },
      { type: 'typing', conversation: 'c', on: false },
    ]);
  });
});
