// What the page holds of a conversation after anything: messages and changes live, connections that drop,
// resumes from the server's memory or from its store, and answers that were made long before they arrive.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Message, TimelineEvent } from '@/lib/http/types';
import { changed } from '@/lib/timeline/change';
import type { Change } from '@/lib/timeline/change';
import { anna, conversation, conversationPage, me, message } from '@/testing/builders';
import { endAll, start } from '@/testing/chat-sessions';
import { welcome } from '@/testing/fake-socket';

const LIMITS = { ...welcome().limits, mentions_max: 50 };
const EMOJI = ['👍', '🎉'];

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame', 'Date'],
  });
});
afterEach(() => {
  endAll();
  vi.useRealTimers();
});

type Wish =
  | { do: 'say' | 'drop' | 'return' | 'answer' | 'settle' | 'look' }
  | { do: 'edit' | 'delete' | 'pin'; which: number; mine: boolean }
  | { do: 'react'; which: number; mine: boolean; emoji: number };

const which = { which: fc.nat(30), mine: fc.boolean() };
const wish: fc.Arbitrary<Wish> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('say' as const, 'answer' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('drop', 'return', 'settle', 'look') }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('edit' as const, 'pin' as const), ...which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), ...which }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('react' as const), emoji: fc.nat(1), ...which }) },
);

/** As much of a server as a conversation needs; its answers arrive when they are let go. */
class Server {
  messages: Message[] = [];
  /** Everything that happened, as the frames that tell it. */
  log: { position: number; frame: object; change?: Change }[] = [];
  #position = 100;
  #held: (() => void)[] = [];

  say(): void {
    const told = message((this.#position += 5), { body: `text ${this.#position}` });
    this.messages.push(told);
    this.log.push({ position: told.position, frame: { type: 'message', ...told } });
  }

  change(wish: Extract<Wish, { which: number }>): void {
    const words = this.messages.filter(({ event }) => !event);
    const target = words[wish.which % words.length];
    if (!target || target.deleted) return;
    const at = (this.#position += 5);
    const actor = wish.mine ? me.id : anna.id;
    const common = { at, target: target.position, by: actor };
    const frame = {
      conversation: 'c',
      position: at,
      actor,
      at: '2026-11-21T09:00:00Z',
      target: { position: target.position, id: target.id },
    }; // prettier-ignore
    let change: Change;
    let told: object;
    if (wish.do === 'edit') {
      change = { ...common, kind: 'edited', body: `edit ${at}` };
      told = { type: 'edited', ...frame, body: change.body };
    } else if (wish.do === 'delete') {
      change = { ...common, kind: 'deleted' };
      told = { type: 'deleted', ...frame };
    } else if (wish.do === 'pin') {
      const on = target.pinned === undefined;
      change = { ...common, kind: 'pinned', on };
      const event = { ...frame, id: `e${at}`, kind: 'pinned', on };
      told = { type: 'event', event };
      this.messages.push({ ...message(at, { id: `e${at}`, kind: 'pinned' }), event: event });
    } else {
      const emoji = EMOJI['emoji' in wish ? wish.emoji : 0] ?? '';
      const has = this.#mine(target, emoji, actor);
      change = { ...common, kind: 'reacted', emoji, on: !has };
      told = { type: 'reacted', ...frame, emoji, on: !has };
    }
    this.messages = this.messages.map((one) => {
      if (one !== target) return one;
      const { live: _, ...now } = changed(one, [change], me.id);
      return { ...now, changed: at };
    });
    this.log.push({ position: at, frame: told, change });
  }

  #mine(target: Message, emoji: string, actor: string): boolean {
    return target.reactions?.find((one) => one.emoji === emoji)?.users.includes(actor) ?? false;
  }

  get end(): number {
    return this.#position;
  }

  /** Made now, and told later. */
  answer<T>(made: T): Promise<T> {
    return new Promise((resolve) => this.#held.push(() => resolve(structuredClone(made))));
  }

  letGo(all = false): void {
    for (const go of this.#held.splice(0, all ? Infinity : 1)) go();
  }

  events = (page: { before?: number; after?: number; around?: number }) => {
    const { before = Infinity, after = 0 } = page;
    const fitting = this.messages.filter(({ position }) => position < before && position > after);
    const shown = page.after === undefined ? fitting.slice(-50) : fitting.slice(0, 100);
    const events = shown.map(({ sender, sent_at, event, kind: _, ...rest }) =>
      event ? { ...event, at: sent_at } : { ...rest, kind: 'message', actor: sender, at: sent_at },
    );
    const has_before = fitting.length > shown.length && page.after === undefined;
    return { events: events as TimelineEvent[], has_before, has_after: false, complete: true };
  };

  changes = ({ changed_after: after }: { changed_after: number }) => ({
    messages: this.messages
      .filter((one) => (one.changed ?? 0) > after)
      .sort((a, b) => (a.changed ?? 0) - (b.changed ?? 0)),
    next: null,
    complete: true,
  });
}

function play() {
  const server = new Server();
  for (let n = 0; n < 4; n += 1) server.say();
  const test = start();
  const { api, sockets, chat } = test;
  const listed = () => {
    const last = server.messages.findLast(({ event }) => !event) ?? null;
    return conversation({ last_message: last, last_position: server.end, last_read: 0, unread: 0 });
  };
  api.conversations.mockImplementation(() => server.answer(conversationPage([listed()])));
  api.conversation.mockImplementation(() => server.answer(listed()));
  api.events.mockImplementation((_, page = {}) => server.answer(server.events(page)));
  api.changes.mockImplementation((_, page) => server.answer(server.changes(page)));
  let sent = server.log.length;
  let live = false;
  const tell = () => {
    if (!live) return;
    for (const { frame } of server.log.slice(sent)) sockets.current().receive(frame);
    sent = server.log.length;
  };
  const come = (how: 'memory' | 'store' | 'afresh') => {
    if (live) return;
    // The page comes back when it thinks of it.
    for (let n = 0; n < 30 && sockets.all.at(-1)?.closed !== false; n += 1) vi.advanceTimersByTime(1_000);
    sockets.current().open();
    sockets.current().receive(welcome({ limits: LIMITS, resumed: how !== 'afresh' }));
    live = true;
    if (how === 'memory') {
      tell();
      return;
    }
    if (how === 'store') {
      const missed = server.log.slice(sent);
      const after = server.log[sent - 1]?.position ?? 0;
      const fresh = missed.filter(({ change }) => !change);
      // Rows as they are now.
      for (const { position } of fresh)
        sockets.current().receive({
          type: 'message',
          ...server.messages.find((one) => one.position === position),
        });
      const pins = missed.filter(({ change }) => change?.kind === 'pinned');
      for (const { frame } of pins) sockets.current().receive(frame);
      const targets = new Set(missed.flatMap(({ change }) => change?.target ?? []));
      if (targets.size > 2)
        sockets.current().receive({
          type: 'gap',
          conversation: 'c',
          after: server.end,
          before: server.end,
          changes_after: after,
        });
      else
        for (const target of targets)
          sockets.current().receive({
            type: 'changed',
            message: server.messages.find(({ position }) => position === target),
          });
    }
    sent = server.log.length;
  };
  const drop = () => {
    if (!live) return;
    live = false;
    sockets.current().closed = true;
    sockets.current().end(4000);
  };
  return { ...test, server, tell, come, drop, chat };
}

const OTHERS_EDIT: Wish = { do: 'edit', which: 0, mine: false };
/** An answer of before arrives when all that is kept was called outdated again. */
const AN_ANSWER_FROM_BEFORE: [Wish[], ('memory' | 'store' | 'afresh')[]] = [
  [
    { do: 'drop' },
    { do: 'return' },
    { do: 'answer' },
    { do: 'drop' },
    OTHERS_EDIT,
    { do: 'say' },
    OTHERS_EDIT,
    OTHERS_EDIT,
  ],
  ['memory', 'afresh', 'memory', 'memory', 'memory'],
];

describe('whatever a page hears, and when', () => {
  it('it shows in the end what the server has', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(wish, { minLength: 4, maxLength: 40 }),
        fc.array(fc.constantFrom('memory' as const, 'store' as const, 'afresh' as const), { minLength: 3 }),
        async (wishes, resumes) => {
          const { chat, server, tell, come, drop, state } = play();
          let resumed = 0;
          const settle = async () => {
            for (let n = 0; n < 12; n += 1) {
              server.letGo(true);
              await vi.advanceTimersByTimeAsync(400);
            }
          };
          chat.start();
          come('afresh');
          await settle();
          chat.history.open('c');
          for (const wish of wishes) {
            if (wish.do === 'say') server.say();
            else if ('which' in wish) server.change(wish);
            else if (wish.do === 'drop') drop();
            else if (wish.do === 'return') come(resumes[resumed++ % resumes.length] ?? 'memory');
            else if (wish.do === 'answer') server.letGo();
            else if (wish.do === 'look') void chat.conversations.load();
            else await vi.advanceTimersByTimeAsync(50);
            tell();
            await vi.advanceTimersByTimeAsync(0);
          }
          come(resumes[resumed % resumes.length] ?? 'memory');
          await settle();
          void chat.history.newer('c');
          await settle();
          void chat.history.newer('c');
          await settle();
          expect(shown(state().timelines.c?.messages ?? [])).toEqual(shown(server.messages));
          const last = server.messages.findLast(({ event }) => !event);
          expect(shown([state().conversations.c?.last_message ?? message(0)])).toEqual(
            shown(last ? [last] : []),
          );
          endAll();
        },
      ),
      { numRuns: 150, examples: [AN_ANSWER_FROM_BEFORE] },
    );
  }, 60_000);
});

/** What a reader sees of them. */
const shown = (messages: readonly Message[]) =>
  messages.map(({ id, position, body, edited, deleted, pinned, reactions = [], event }) => ({
    id,
    position,
    ...(event ? { on: event.on } : { body, edited, pinned }),
    deleted: deleted?.position,
    reactions: reactions.map(({ emoji, count, mine }) => `${emoji} ${count} ${mine}`).sort(),
  }));

describe('an edit', () => {
  const frame = (position: number, mentions: string[]) => ({
    type: 'edited',
    conversation: 'c',
    position,
    actor: anna.id,
    at: '2026-11-21T09:00:00Z',
    target: { position: 10, id: 'm10' },
    body: `edit ${position}`,
    mentions,
  });

  it('tells those whom it names for the first time, once each', async () => {
    const { chat, sockets, opened, settle } = start();
    const told: string[] = [];
    chat.onArrivals((messages, why) => told.push(...messages.map(({ body = '' }) => `${why} ${body}`)));
    await opened();
    sockets.current().receive(frame(20, ['somebody']));
    await settle();
    expect(told).toEqual([]);
    sockets.current().receive(frame(21, [me.id]));
    await settle();
    expect(told).toEqual(['named edit 21']);
    // They know already.
    sockets.current().receive(frame(22, [me.id, 'somebody']));
    sockets.current().receive(frame(21, [me.id]));
    await settle();
    expect(told).toEqual(['named edit 21']);
    sockets.current().receive(frame(23, []));
    await settle();
    sockets.current().receive(frame(24, [me.id]));
    await settle();
    expect(told).toEqual(['named edit 21', 'named edit 24']);
  });
});
