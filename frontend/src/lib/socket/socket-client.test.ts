import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { fakeSockets, welcome } from '@/testing/fake-socket';

import { backoffMs } from './backoff';
import type { ServerFrame } from './frames';
import { SocketClient } from './socket-client';
import type { SocketState } from './socket-client';

function setUp() {
  const sockets = fakeSockets();
  const states: SocketState[] = [];
  const frames: ServerFrame[] = [];
  const client = new SocketClient({
    url: 'ws://test/ws',
    createSocket: sockets.create,
    random: () => 1,
    onState: (state) => states.push(state),
    onFrame: (frame) => frames.push(frame),
  });
  const goLive = (change = {}) => {
    sockets.current().open();
    sockets.current().receive(welcome(change));
  };
  return { sockets, states, frames, client, goLive, phases: () => states.map(({ phase }) => phase) };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('connecting', () => {
  it('goes through its states, and says hello first', () => {
    const { client, sockets, goLive, phases } = setUp();
    client.connect();
    goLive();
    expect(phases()).toEqual(['connecting', 'authenticating', 'live']);
    expect(sockets.current().sent).toEqual([{ type: 'hello' }]);
  });

  it('connects once, however often it is asked to', () => {
    const { client, sockets } = setUp();
    client.connect();
    client.connect();
    expect(sockets.all).toHaveLength(1);
  });

  it('gives up on a try without welcome', () => {
    const { client, sockets, phases } = setUp();
    client.connect();
    sockets.current().open();
    vi.advanceTimersByTime(12_000);
    expect(phases().at(-1)).toBe('backing-off');
    expect(sockets.current().closed).toBe(true);
  });

  it('sends nothing before it is live', () => {
    const { client, sockets, goLive } = setUp();
    expect(client.send({ type: 'ping' })).toBe(false);
    client.connect();
    expect(client.send({ type: 'ping' })).toBe(false);
    goLive();
    expect(client.send({ type: 'ping' })).toBe(true);
    expect(sockets.current().sentOf('ping')).toHaveLength(1);
  });

  it('skips what is not a frame it knows', () => {
    const { client, sockets, goLive, frames } = setUp();
    client.connect();
    goLive();
    for (const text of ['', '[]', 'null', '{"type":"news"}', '{"type":', 7])
      sockets.current().receiveText(text);
    expect(frames.map(({ type }) => type)).toEqual(['welcome']);
  });
});

describe('connecting again', () => {
  it('resumes from the last cursor', () => {
    const { client, sockets, goLive } = setUp();
    client.connect();
    goLive({ cursor: 'a' });
    sockets.current().receive({ type: 'cursor', cursor: 'b' });
    sockets.current().end();
    vi.advanceTimersByTime(500);
    sockets.current().open();
    expect(sockets.current().sent).toEqual([{ type: 'hello', resume: 'b' }]);
  });

  it('keeps the old cursor until what was missed has come', () => {
    const { client, sockets, goLive } = setUp();
    client.connect();
    goLive({ cursor: 'a' });
    sockets.current().end();
    vi.advanceTimersByTime(500);
    goLive({ cursor: 'z', resumed: true });
    sockets.current().end();
    vi.advanceTimersByTime(1_000);
    sockets.current().open();
    expect(sockets.current().sent).toEqual([{ type: 'hello', resume: 'a' }]);
  });

  it('waits longer each time, up to a limit, and hears nothing more of the old socket', () => {
    const { client, sockets, states } = setUp();
    client.connect();
    const waits: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      sockets.current().end();
      const state = states.at(-1);
      if (state?.phase === 'backing-off') waits.push(state.retryAt - Date.now());
      vi.advanceTimersByTime(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    sockets.all[0]?.end();
    expect(states.at(-1)?.phase).toBe('connecting');
  });

  it('forgets the waiting after a connection that lasted, not after one that died at once', () => {
    const { client, sockets, goLive, states } = setUp();
    const attempt = () => {
      const state = states.at(-1);
      return state?.phase === 'backing-off' ? state.attempt : 0;
    };
    client.connect();
    goLive();
    sockets.current().end();
    vi.advanceTimersByTime(500);
    goLive();
    sockets.current().end();
    expect(attempt()).toBe(2);
    vi.advanceTimersByTime(1_000);
    goLive();
    vi.advanceTimersByTime(10_000);
    sockets.current().end();
    expect(attempt()).toBe(1);
  });

  it('tries at once when it is woken', () => {
    const { client, sockets } = setUp();
    client.connect();
    sockets.current().end();
    client.wake();
    expect(sockets.all).toHaveLength(2);
    vi.advanceTimersByTime(1_000);
    expect(sockets.all).toHaveLength(2);
  });

  it.each([4500, 4501, 4502])('stays away after %i', (code) => {
    const { client, sockets, goLive, states } = setUp();
    client.connect();
    goLive();
    sockets.current().end(code);
    vi.advanceTimersByTime(600_000);
    expect(states.at(-1)).toEqual({ phase: 'closed', code });
    expect(sockets.all).toHaveLength(1);
  });

  it.each([1000, 1001, 1006, 1009, 1012, 4000, 4008, 4009])('comes back after %i', (code) => {
    const { client, sockets, goLive } = setUp();
    client.connect();
    goLive();
    sockets.current().end(code);
    vi.advanceTimersByTime(4_000);
    expect(sockets.all).toHaveLength(2);
  });

  it('does not come back after it was closed from here', () => {
    const { client, sockets, goLive } = setUp();
    client.connect();
    goLive();
    client.close();
    expect(sockets.current().closedWith).toBe(1000);
    vi.advanceTimersByTime(600_000);
    expect(sockets.all).toHaveLength(1);
  });
});

describe('testing the line', () => {
  it('pings after silence, and goes on when the pong comes', () => {
    const { client, sockets, goLive } = setUp();
    client.connect();
    goLive({ heartbeat_ms: 1_000 });
    vi.advanceTimersByTime(1_000);
    expect(sockets.current().sentOf('ping')).toHaveLength(1);
    sockets.current().receive({ type: 'pong' });
    vi.advanceTimersByTime(999);
    expect(client.live).toBe(true);
    expect(sockets.current().sentOf('ping')).toHaveLength(1);
  });

  it('does not ping while frames come', () => {
    const { client, sockets, goLive } = setUp();
    client.connect();
    goLive({ heartbeat_ms: 1_000 });
    for (let i = 0; i < 5; i += 1) {
      vi.advanceTimersByTime(900);
      sockets.current().receive({ type: 'cursor', cursor: String(i) });
    }
    expect(sockets.current().sentOf('ping')).toHaveLength(0);
  });

  it('does not wait for the browser to notice that nobody answers', () => {
    const { client, sockets, goLive, phases } = setUp();
    client.connect();
    goLive({ heartbeat_ms: 1_000 });
    vi.advanceTimersByTime(9_000);
    expect(phases().at(-1)).toBe('backing-off');
    expect(sockets.current().closed).toBe(true);
  });

  it('has less patience after it was woken', () => {
    const { client, goLive, phases } = setUp();
    client.connect();
    goLive();
    client.wake();
    client.wake();
    vi.advanceTimersByTime(3_000);
    expect(phases().at(-1)).toBe('backing-off');
  });
});

describe('backoffMs', () => {
  it('is never below half of its ceiling', () => {
    expect(backoffMs(0, undefined, 0)).toBe(250);
    expect(backoffMs(50, undefined, 0)).toBe(15_000);
  });

  it('spreads the clients of a server that restarts', () => {
    expect(backoffMs(0, 1012, 0.99)).toBeGreaterThan(3_000);
    expect(backoffMs(0, 1012, 0)).toBe(250);
  });
});
