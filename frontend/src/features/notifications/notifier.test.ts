import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { applyEvents } from '@/lib/store/events';
import { message } from '@/testing/builders';
import { fakeChat } from '@/testing/fake-chat';
import { fakeTabs } from '@/testing/fake-tabs';

import { LISTEN_MS } from './announcement';
import { Notifier } from './notifier';
import { setPreferences } from './preferences';
import { chime } from './sound';

vi.mock('./sound', () => ({ chime: vi.fn(async () => undefined) }));

/** What the desktop shows. */
class Shown {
  static permission: NotificationPermission = 'granted';
  static all: Shown[] = [];
  onclick: (() => void) | null = null;
  closed = false;
  readonly title: string;
  readonly options: NotificationOptions;

  constructor(title: string, options: NotificationOptions) {
    this.title = title;
    this.options = options;
    Shown.all.push(this);
  }

  close() {
    this.closed = true;
  }
}

const texts = () => Shown.all.map(({ title, options }) => `${title}: ${options.body}`);
const heard = () => vi.advanceTimersByTimeAsync(LISTEN_MS);
const notifiers: Notifier[] = [];
/** Somebody looks at the page. */
let hasFocus = false;

function setUp(fake = fakeChat()) {
  const open = vi.fn();
  const notifier = new Notifier(fake.chat, open);
  notifiers.push(notifier);
  return { ...fake, notifier, open };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('Notification', Shown);
  vi.stubGlobal('isSecureContext', true);
  hasFocus = false;
  vi.spyOn(document, 'hasFocus').mockImplementation(() => hasFocus);
  Shown.all = [];
  Shown.permission = 'granted';
  vi.mocked(chime).mockClear();
  setPreferences({ desktop: true, sound: true });
});
afterEach(() => {
  for (const notifier of notifiers.splice(0)) notifier.dispose();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('tells', () => {
  it('who wrote what, on one line and not too long, with a sound', async () => {
    const { arrive } = setUp();
    arrive(message(1, { body: `  hello\n\n${'x'.repeat(200)}` }));
    await heard();
    expect(texts()).toEqual([`Anna: hello ${'x'.repeat(133)}…`]);
    expect(chime).toHaveBeenCalledTimes(1);
  });

  it('in plain words, without the marks of the text', async () => {
    const { arrive } = setUp();
    arrive(message(1, { body: '> **so**\n- [the page](https://a.example) `x*y`' }));
    await heard();
    expect(texts()).toEqual(['Anna: so • the page x*y']);
  });

  it('once of many that come together, and makes no more noise than one', async () => {
    const { arrive } = setUp();
    arrive(message(1), message(2), message(3));
    await heard();
    arrive(message(4));
    await heard();
    expect(texts()).toEqual(['Anna: 3 new messages', 'Anna: text 4']);
    expect(chime).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1_500);
    arrive(message(5));
    await heard();
    expect(chime).toHaveBeenCalledTimes(2);
  });

  it('of an edit that names one, also of what was read, until somebody looks or it is deleted', async () => {
    const { arrive, read, named, chat, notifier } = setUp();
    arrive(message(5));
    read(5);
    await heard();
    expect(Shown.all).toEqual([]);
    const edited = message(5, { body: 'and you', edited: 8, mentions: ['me'] });
    named(edited);
    await heard();
    expect(texts()).toEqual(['Anna: and you']);
    notifier.shown = 'c';
    chat.store.setState({});
    expect(Shown.all[0]?.closed).toBe(true);
    notifier.shown = null;
    named(message(5, { body: 'and you again', edited: 9, mentions: ['me'] }));
    await heard();
    expect(Shown.all[1]?.closed).toBe(false);
    chat.store.setState((state) =>
      applyEvents(state, [
        { kind: 'change', conversation: 'c', change: { kind: 'deleted', at: 12, target: 5, by: 'anna' } },
      ]),
    );
    expect(Shown.all[1]?.closed).toBe(true);
  });

  it('from one of several tabs', async () => {
    const all = fakeTabs(3).map((tabs, index) => setUp(fakeChat(`tab ${index}`, tabs)));
    for (const { arrive } of all) arrive(message(1));
    await heard();
    expect(texts()).toHaveLength(1);
    expect(chime).toHaveBeenCalledTimes(1);
  });
});

describe('says nothing', () => {
  it('of the conversation that somebody looks at, in any tab', async () => {
    const [here, there] = fakeTabs(2).map((tabs, index) => setUp(fakeChat(`tab ${index}`, tabs)));
    hasFocus = true;
    here!.arrive(message(1));
    there!.notifier.shown = 'c';
    there!.arrive(message(1));
    await heard();
    expect(texts()).toEqual([]);
    expect(chime).not.toHaveBeenCalled();
  });

  it('of what was read on another device meanwhile', async () => {
    const { arrive, read } = setUp();
    arrive(message(1));
    read(1);
    await heard();
    expect(texts()).toEqual([]);
  });

  it('without leave of the person or the browser, each by itself', async () => {
    const { arrive } = setUp();
    setPreferences({ desktop: false, sound: true });
    arrive(message(1));
    await heard();
    expect([texts().length, vi.mocked(chime).mock.calls.length]).toEqual([0, 1]);
    await vi.advanceTimersByTimeAsync(2_000);
    setPreferences({ desktop: true, sound: false });
    arrive(message(2));
    await heard();
    expect([texts().length, vi.mocked(chime).mock.calls.length]).toEqual([1, 1]);
    Shown.permission = 'denied';
    arrive(message(3));
    await heard();
    expect(texts()).toHaveLength(1);
  });

  it('when it was disposed of', async () => {
    const { arrive, notifier, listening } = setUp();
    arrive(message(1));
    await heard();
    notifier.dispose();
    expect(Shown.all[0]?.closed).toBe(true);
    expect(listening()).toBe(false);
  });
});

describe('a notification', () => {
  it('is there although the conversation is open, when nobody looks at the page', async () => {
    const { arrive, notifier } = setUp();
    notifier.shown = 'c';
    arrive(message(1));
    await heard();
    expect(texts()).toHaveLength(1);
  });

  it('opens its conversation, and goes', async () => {
    const { arrive, open } = setUp();
    arrive(message(1));
    await heard();
    Shown.all[0]?.onclick?.();
    expect(open).toHaveBeenCalledWith('c');
    expect(Shown.all[0]?.closed).toBe(true);
  });

  it('goes when the conversation is read, wherever', async () => {
    const { arrive, read } = setUp();
    arrive(message(1), message(2));
    await heard();
    read(1);
    expect(Shown.all[0]?.closed).toBe(false);
    read(2);
    expect(Shown.all[0]?.closed).toBe(true);
  });

  it('has the tag of its conversation: one at a time on the desktop', async () => {
    const { arrive } = setUp();
    arrive(message(1), message(2, { conversation: 'other', sender: 'ben' }));
    await heard();
    expect(Shown.all.map(({ options }) => options.tag)).toEqual(['milena-c', 'milena-other']);
  });
});
