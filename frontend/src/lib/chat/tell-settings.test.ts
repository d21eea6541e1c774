import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createStore } from 'zustand/vanilla';

import type { Api } from '@/lib/http/api';
import { ApiError } from '@/lib/http/api-error';
import type { Notifications } from '@/lib/http/types';
import { initialState } from '@/lib/store/chat-state';
import { GENERAL, OF_CONVERSATION } from '@/lib/tell/settings';
import { me } from '@/testing/builders';

import { TellSettings } from './tell-settings';

const NOW_MS = Date.UTC(2026, 10, 29, 12);
const all = (revision: number, change: Partial<Notifications> = {}): Notifications => ({
  ...GENERAL,
  revision,
  conversations: [],
  ...change,
});
const muted = { ...OF_CONVERSATION, muted: true };

beforeEach(() => {
  vi.useFakeTimers({ now: NOW_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

async function setUp(first = all(3)) {
  const api = {
    notifications: vi.fn<Api['notifications']>(async () => first),
    changeNotifications: vi.fn<Api['changeNotifications']>(),
    setConversationNotifications: vi.fn<Api['setConversationNotifications']>(),
  };
  const store = createStore(() => initialState(me));
  const tell = new TellSettings(store, api);
  await tell.load();
  const state = () => store.getState().tell;
  const told = (revision: number, change = {}) => tell.told({ type: 'notifications', revision, ...change });
  return { api, tell, state, told };
}

describe('what was chosen on another device', () => {
  it('is applied in its turn, and once', async () => {
    const { api, state, told } = await setUp();
    told(4, { general: { ...GENERAL, rooms: 'all' } });
    told(5, { conversation: 'c', settings: muted });
    told(4, { general: GENERAL });
    told(5);
    expect(state()).toEqual({ revision: 5, general: { ...GENERAL, rooms: 'all' }, of: { c: muted } });
    expect(api.notifications).toHaveBeenCalledTimes(1);
  });

  it('is asked for when a word of it was lost', async () => {
    const { api, state, told } = await setUp();
    api.notifications.mockResolvedValueOnce(all(6, { conversations: [{ conversation: 'c', ...muted }] }));
    told(5, { general: { ...GENERAL, direct: 'nothing' } });
    await vi.advanceTimersByTimeAsync(0);
    expect(state()).toEqual({ revision: 6, general: GENERAL, of: { c: muted } });
    api.notifications.mockResolvedValueOnce(all(7));
    told(7);
    await vi.advanceTimersByTimeAsync(0);
    expect(state()?.revision).toBe(7);
    expect(api.notifications).toHaveBeenCalledTimes(3);
  });

  it('is asked for again when it was told during the question', async () => {
    const { api, tell, state, told } = await setUp();
    let answer: (all: Notifications) => void = () => undefined;
    api.notifications.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    api.notifications.mockResolvedValueOnce(all(5, { rooms: 'nothing' }));
    const loaded = tell.load();
    told(5);
    answer(all(4));
    await loaded;
    expect(state()).toMatchObject({ revision: 5, general: { rooms: 'nothing' } });
  });
});

describe('what is chosen here', () => {
  it('holds when the server has it, and when its frame comes before its answer', async () => {
    const { api, tell, state, told } = await setUp();
    api.setConversationNotifications.mockImplementationOnce(async (conversation, settings) => {
      const own = { ...OF_CONVERSATION, ...settings };
      told(4, { conversation, settings: own });
      return { revision: 4, ...own };
    });
    await tell.changeOf('c', { muted: true });
    expect(state()).toMatchObject({ revision: 4, of: { c: muted } });
    api.setConversationNotifications.mockImplementationOnce(async (_, settings) => ({
      revision: 5,
      ...OF_CONVERSATION,
      ...settings,
    }));
    await tell.changeOf('c', { level: 'all' });
    expect(api.setConversationNotifications).toHaveBeenLastCalledWith('c', { ...muted, level: 'all' });
    api.changeNotifications.mockResolvedValueOnce(all(6, { direct: 'mentions' }));
    await tell.change({ direct: 'mentions' });
    expect(state()).toMatchObject({ revision: 6, general: { direct: 'mentions' }, of: {} });
    api.changeNotifications.mockRejectedValueOnce(new ApiError({ status: 503, code: 'store_unavailable' }));
    await expect(tell.change({ direct: 'all' })).rejects.toThrow();
    expect(state()?.general.direct).toBe('mentions');
  });
});

it('a mute ends by itself, also one of many weeks', async () => {
  const at = (days: number) => new Date(NOW_MS + days * 86_400_000).toISOString();
  const of = (conversation: string, days: number) => ({ conversation, ...muted, muted_until: at(days) });
  const { state } = await setUp(all(1, { conversations: [of('c', 0.5), of('d', 40), of('e', -1)] }));
  const isMuted = () => ['c', 'd', 'e'].map((id) => state()?.of[id]?.muted);
  expect(isMuted()).toEqual([true, true, false]);
  await vi.advanceTimersByTimeAsync(43_200_000);
  expect(isMuted()).toEqual([false, true, false]);
  await vi.advanceTimersByTimeAsync(39 * 86_400_000);
  expect(isMuted()).toEqual([false, true, false]);
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(isMuted()).toEqual([false, false, false]);
});

it('nothing is known of a server that keeps none of it', async () => {
  const { api, tell, state, told } = await setUp();
  expect(state()).not.toBeNull();
  const store = createStore(() => initialState(me));
  api.notifications.mockRejectedValue(new ApiError({ status: 404, code: 'not_found' }));
  const other = new TellSettings(store, api);
  await other.load();
  expect(store.getState().tell).toBeNull();
  tell.dispose();
  told(9);
});
