import { describe, expect, it, vi } from 'vitest';

import type { Api } from '@/lib/http/api';
import type { Message } from '@/lib/http/types';
import { GENERAL, OF_CONVERSATION } from '@/lib/tell/settings';
import type { General, OfConversation } from '@/lib/tell/settings';
import { itemOf } from '@/lib/timeline/event';
import { anna, me, message, page } from '@/testing/builders';
import { fakeChat } from '@/testing/fake-chat';
import { said } from '@/testing/rooms';

import { isCalling } from './calling';

function setUp(general: Partial<General> = {}, own: Partial<OfConversation> = {}) {
  const { chat: fake } = fakeChat();
  const messagesAt = vi.fn<Api['messagesAt']>(async () => page([]));
  const { store } = fake;
  const settings = { ...OF_CONVERSATION, ...own };
  store.setState({
    tell: { revision: 1, general: { ...GENERAL, ...general }, of: { r: settings, c: settings } },
  });
  const calls = (one: Message, named = false) => isCalling({ store }, one, named, messagesAt);
  return { store, messagesAt, calls };
}

const inRoom = (change = {}) => itemOf(said(5, change));
const answer = { reply_to: { position: 2, id: 'e2' } };

describe('a message calls', () => {
  it('as long as nobody knows what is wanted', async () => {
    const { store, calls } = setUp();
    store.setState({ tell: null });
    expect(await calls(inRoom())).toBe(true);
  });

  it('between two people, and in a room when it names, calls everybody or has a keyword', async () => {
    const { calls } = setUp({ keywords: ['tram'] });
    expect(await calls(message(5))).toBe(true);
    expect(await calls(inRoom())).toBe(false);
    expect(await calls(inRoom({ mentions: [me.id] }))).toBe(true);
    expect(await calls(inRoom({ everyone: true }))).toBe(true);
    expect(await calls(inRoom({ body: 'The TRAM!' }))).toBe(true);
    expect(await calls(inRoom(), true)).toBe(true);
  });

  it('not where it is muted, and not while one is not to be disturbed', async () => {
    const muted = setUp({}, { muted: true });
    expect(await muted.calls(message(5))).toBe(false);
    expect(await muted.calls(inRoom({ mentions: [me.id] }))).toBe(false);
    const quiet = setUp({ dnd_until: new Date(Date.now() + 60_000).toISOString() });
    expect(await quiet.calls(message(5))).toBe(false);
  });
});

describe('an answer calls', () => {
  it('when what it answers is mine, which is asked for where nobody knows', async () => {
    const { messagesAt, calls } = setUp();
    messagesAt.mockResolvedValueOnce({ ...page([]), messages: [itemOf(said(2, { actor: me.id }))] });
    expect(await calls(inRoom(answer))).toBe(true);
    expect(messagesAt).toHaveBeenCalledWith('r', [2]);
    messagesAt.mockResolvedValueOnce({ ...page([]), messages: [itemOf(said(2, { actor: anna.id }))] });
    expect(await calls(inRoom(answer))).toBe(false);
    messagesAt.mockRejectedValueOnce(new Error('away'));
    expect(await calls(inRoom(answer))).toBe(false);
  });

  it('and is not asked about where it makes no difference', async () => {
    for (const own of [{ level: 'all' as const }, { level: 'nothing' as const }, { muted: true }]) {
      const { messagesAt, calls } = setUp({}, own);
      await calls(inRoom(answer));
      expect(messagesAt).not.toHaveBeenCalled();
    }
  });
});
