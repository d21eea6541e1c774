// How the message list moves: measured in pixels in a real browser, because nothing else can tell.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend } from '../fake/fake-backend';
import { chatOf, idOf, me, milena, minutesAgo, ottla } from '../fake/people';

const WORDS = 'the letter came late and the tram left early so nobody knew who waited for whom'.split(' ');

/** Messages of very different heights, numbered from 1. */
function text(number: number): string {
  const length = (number * 7_919) % 90;
  return `#${number} ${Array.from({ length }, (_, i) => WORDS[(number + i) % WORDS.length]).join(' ')}`;
}

function write(backend: FakeBackend, count: number): void {
  backend.people = [milena];
  for (let i = 1; i <= count; i += 1)
    backend.add(milena, i % 3 === 0 ? me : milena, text(i), minutesAgo((count - i) * 4 + 1));
  backend.read(milena);
}

const log = (page: Page) => page.getByRole('log');

/** The numbers of the messages that are in the document, from above. */
async function numbers(page: Page): Promise<number[]> {
  return page
    .getByTestId('message')
    .evaluateAll((all) => all.map((element) => Number(/#(\d+)/.exec(element.textContent)?.[1])));
}

async function place(page: Page, number: number): Promise<number> {
  const box = await page
    .getByTestId('message')
    .filter({ hasText: new RegExp(`#${number}\\b`) })
    .boundingBox();
  return box?.y ?? Number.NaN;
}

const fromEnd = (page: Page) =>
  log(page).evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);

/** The number of the last message of which at least half is above the lower edge. */
async function lastInView(page: Page): Promise<number> {
  const edge = await log(page).evaluate((element) => element.getBoundingClientRect().bottom);
  return page.getByTestId('message').evaluateAll((all, bottom) => {
    const seen = all.filter((element) => {
      const { top, height } = element.getBoundingClientRect();
      return top + height / 2 <= bottom;
    });
    return Number(/#(\d+)/.exec(seen.at(-1)?.textContent ?? '')?.[1]);
  }, edge);
}

async function openWith(page: Page, backend: FakeBackend): Promise<void> {
  await backend.attach(page);
  await page.goto(chatOf(milena));
  await expect(page.getByTestId('message').first()).toBeVisible();
}

test('opens at the newest message', async ({ page }) => {
  const backend = new FakeBackend(me);
  write(backend, 500);
  await openWith(page, backend);
  await expect.poll(() => fromEnd(page)).toBeLessThan(2);
  expect((await numbers(page)).at(-1)).toBe(500);
  expect(backend.pages).toEqual(['?limit=50']);
});

test('keeps the place to the pixel when older messages arrive', async ({ page }) => {
  const backend = new FakeBackend(me);
  write(backend, 500);
  backend.delayMs = 250;
  await openWith(page, backend);
  await log(page).hover();
  const drifts: number[] = [];
  for (let turn = 0; turn < 6; turn += 1) {
    const asked = backend.pages.length;
    while (backend.pages.length === asked) {
      await page.mouse.wheel(0, -240);
      await page.waitForTimeout(40);
    }
    // The page is on its way: nothing scrolls from here on but the list itself.
    await page.waitForTimeout(60);
    const inView = (await numbers(page))[Math.floor((await numbers(page)).length / 2)] ?? 0;
    const before = await place(page, inView);
    await expect.poll(async () => (await numbers(page))[0]).toBeLessThan(inView);
    await page.waitForTimeout(400);
    drifts.push(Math.abs((await place(page, inView)) - before));
  }
  const measured = drifts.map((drift) => drift.toFixed(2)).join(' ');
  test.info().annotations.push({ type: 'drift', description: `${measured} px` });
  expect(Math.max(...drifts)).toBeLessThanOrEqual(1);
});

test('scrolls through the whole history, each message once and in order', async ({ page }) => {
  const backend = new FakeBackend(me);
  write(backend, 400);
  await openWith(page, backend);
  await log(page).hover();
  const seen = new Set<number>();
  const beginning = page.getByText('This is where it begins.');
  for (let i = 0; i < 400 && !((await beginning.isVisible()) && seen.has(1)); i += 1) {
    const now = await numbers(page);
    expect(now).toEqual([...now].sort((a, b) => a - b));
    now.forEach((number) => seen.add(number));
    await page.mouse.wheel(0, -500);
    await page.waitForTimeout(25);
  }
  await expect(beginning).toBeVisible();
  expect(seen.size).toBe(400);
  expect(backend.pages).toHaveLength(8);
});

test('opens at the first unread message, however many follow, and reads on from there', async ({ page }) => {
  const backend = new FakeBackend(me);
  write(backend, 500);
  backend.read(milena, 150);
  await openWith(page, backend);
  const divider = page.getByTestId('unread-divider');
  await expect(divider).toBeInViewport();
  await page.waitForTimeout(600);
  await expect(divider).toBeInViewport();
  await expect(page.getByRole('button', { name: /99\+ new/ })).toBeVisible();
  await log(page).hover();
  await expect(async () => {
    await page.mouse.wheel(0, 1_500);
    expect((await numbers(page)).at(-1)).toBe(500);
    expect(await fromEnd(page)).toBeLessThan(2);
  }).toPass({ timeout: 20_000 });
  const newest = backend.thread(milena).messages.at(-1)?.position;
  await expect.poll(() => backend.reads.at(-1)?.position).toBe(newest);
  await expect(page.getByRole('link', { name: /unread/ })).toHaveCount(0);
});

test('jumps from far above to the newest message', async ({ page }) => {
  const backend = new FakeBackend(me);
  write(backend, 500);
  backend.read(milena, 300);
  await openWith(page, backend);
  await page.getByRole('button', { name: /new/ }).click();
  await expect.poll(async () => (await numbers(page)).at(-1)).toBe(500);
  await expect.poll(() => fromEnd(page)).toBeLessThan(2);
});

test('follows new messages at the end, and stays where the person reads', async ({ page }) => {
  const backend = new FakeBackend(me);
  write(backend, 120);
  await openWith(page, backend);
  for (let i = 121; i <= 130; i += 1) backend.deliver(milena, text(i));
  await expect.poll(async () => (await numbers(page)).at(-1)).toBe(130);
  await expect.poll(() => fromEnd(page)).toBeLessThan(2);
  await log(page).hover();
  await page.mouse.wheel(0, -900);
  await page.waitForTimeout(300);
  const inView = (await numbers(page))[4] ?? 0;
  const before = await place(page, inView);
  for (let i = 131; i <= 135; i += 1) backend.deliver(milena, text(i));
  const jump = page.getByRole('button', { name: '5 new' });
  await expect(jump).toBeVisible();
  expect(await place(page, inView)).toBe(before);
  await jump.click();
  await expect.poll(async () => (await numbers(page)).at(-1)).toBe(135);
  await expect(jump).toHaveCount(0);
});

test('a conversation never opened opens at its first unread message, and reads what is in view', async ({
  page,
}) => {
  for (const [count, tall] of [
    [30, false],
    [60, false],
    [140, true],
  ] as const) {
    const backend = new FakeBackend(me);
    backend.people = [milena];
    for (let i = 1; i <= count; i += 1) backend.add(milena, milena, text(i), minutesAgo(count - i + 1));
    await page.setViewportSize({ width: 1280, height: tall ? 2_400 : 800 });
    await page.unrouteAll();
    await openWith(page, backend);
    await expect(page.getByTestId('unread-divider')).toBeInViewport();
    await expect.poll(() => backend.reads.length).toBeGreaterThan(0);
    await page.waitForTimeout(700);
    await expect(page.getByTestId('unread-divider')).toBeInViewport();
    const { messages } = backend.thread(milena);
    const read = messages.findIndex(({ position }) => position === backend.reads.at(-1)?.position) + 1;
    expect(read, `${count} unread`).toBe(await lastInView(page));
    expect(read).toBeLessThan(count);
  }
});

test('finds the first unread message behind many of one’s own', async ({ page }) => {
  for (const unread of [20, 40]) {
    const backend = new FakeBackend(me);
    backend.people = [milena];
    for (let i = 1; i <= 260; i += 1)
      backend.add(milena, i > 20 && i <= 220 ? me : milena, text(i), minutesAgo(261 - i));
    if (unread === 20) for (let i = 261; i <= 320; i += 1) backend.add(milena, me, text(i), minutesAgo(0));
    const { conversation, messages } = backend.thread(milena);
    conversation.last_read = messages[19]!.position;
    conversation.unread = unread;
    await page.unrouteAll();
    await openWith(page, backend);
    await expect(page.getByTestId('unread-divider')).toBeInViewport();
    await expect(page.getByTestId('message').filter({ hasText: '#221 ' })).toBeInViewport();
  }
});

test('a conversation in memory opens at what came meanwhile, also behind a gap', async ({ page }) => {
  const backend = new FakeBackend(me);
  write(backend, 120);
  backend.people.push(ottla);
  backend.add(ottla, ottla, '#1 elsewhere', minutesAgo(900));
  backend.read(ottla);
  await openWith(page, backend);
  await expect.poll(() => fromEnd(page)).toBeLessThan(2);
  await page.getByRole('link', { name: /Ottla/ }).click();
  await expect(page.getByTestId('message').filter({ hasText: 'elsewhere' })).toBeVisible();
  const after = backend.thread(milena).messages.at(-1)!.position;
  for (let i = 121; i <= 400; i += 1) backend.add(milena, milena, text(i), minutesAgo(0));
  const last = backend.add(milena, milena, text(401), minutesAgo(0));
  backend.emit({ type: 'gap', conversation: idOf(milena), after, before: last.position });
  backend.emit({ type: 'message', ...last });
  await expect(page.getByRole('link', { name: /Milena/ })).toContainText('#401');
  await page.getByRole('link', { name: /Milena/ }).click();
  await expect(page.getByTestId('unread-divider')).toBeInViewport();
  await page.waitForTimeout(700);
  await expect(page.getByTestId('message').filter({ hasText: '#121 ' })).toBeInViewport();
  expect(backend.reads.at(-1)?.position).toBeLessThan(backend.thread(milena).messages[140]!.position);
});

/** Opens a conversation whose list stands at its end, and must be there after all that happens. */
async function openAtEnd(page: Page) {
  const backend = new FakeBackend(me);
  backend.life = true;
  write(backend, 120);
  await openWith(page, backend);
  await expect.poll(() => fromEnd(page)).toBeLessThan(2);
  const atEnd = async (when: string) => {
    await expect.poll(() => fromEnd(page), when).toBeLessThan(2);
    await expect(page.getByTestId('message').last(), when).toBeInViewport({ ratio: 1 });
  };
  return { backend, atEnd, writing: page.getByLabel('Message to Milena') };
}

test('stays at the end whatever is written below it', async ({ page }) => {
  const { backend, atEnd, writing } = await openAtEnd(page);
  await writing.click();
  await page.keyboard.type('a');
  for (let line = 2; line <= 6; line += 1) {
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('b');
    await atEnd(`line ${line}`);
  }
  backend.deliver(milena, text(121));
  await expect(page.getByTestId('message').last()).toContainText('#121');
  await atEnd('a message while the composer is high');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Backspace');
  await atEnd('a line less');
  await writing.fill('');
  await atEnd('an empty composer');
  // The row may be drawn anew under the pointer, which then is over nothing until it moves.
  await expect(async () => {
    await page.getByTestId('message').last().hover();
    await page.getByTestId('message').last().getByRole('button', { name: 'Reply' }).click({ timeout: 1_000 });
  }).toPass();
  await expect(page.getByTestId('writing')).toContainText('Answering');
  await atEnd('an answer is begun');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('writing')).toHaveCount(0);
  await atEnd('and left');
  await page.keyboard.press('ArrowUp');
  await expect(page.getByTestId('writing')).toContainText('Editing');
  await atEnd('an edit is begun');
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('writing')).toHaveCount(0);
  await atEnd('and left as well');
  await writing.fill('a long sentence that wraps '.repeat(9));
  await page.keyboard.type(':smi');
  await expect(page.getByRole('listbox', { name: 'Emoji' })).toBeVisible();
  await atEnd('wrapped, with suggestions');
});

test('stays at the end whatever changes its height from outside', async ({ page }) => {
  const { backend, atEnd, writing } = await openAtEnd(page);
  await writing.fill('a long sentence that wraps '.repeat(9));
  await page.setViewportSize({ width: 600, height: 800 });
  await atEnd('a narrow window');
  expect(await writing.evaluate((area) => area.scrollHeight - area.clientHeight)).toBeLessThan(2);
  await page.setViewportSize({ width: 390, height: 420 });
  await atEnd('a keyboard on a phone');
  await page.setViewportSize({ width: 1280, height: 800 });
  await atEnd('wide again');
  await writing.fill('x'.repeat(7_900));
  await expect(page.getByText('100 characters left')).toBeVisible();
  await atEnd('the counter');
  await writing.fill('');
  backend.up = false;
  await backend.drop();
  await expect(page.getByTestId('connection-banner')).toBeVisible();
  await atEnd('the banner');
  backend.up = true;
  await page.getByRole('button', { name: 'Try now' }).click();
  await expect(page.getByTestId('connection-banner')).toHaveCount(0);
  await atEnd('without the banner');
  const { messages } = backend.thread(milena);
  backend.change(milena, messages.at(-1)!, (at, target) => ({
    kind: 'reacted',
    at,
    target,
    by: milena.id,
    emoji: '🎉',
    on: true,
  }));
  await expect(page.getByRole('button', { name: /^🎉 1/ })).toBeVisible();
  await atEnd('a reaction');
  await page.evaluate(() => (document.documentElement.style.fontSize = '150%'));
  await atEnd('larger letters');
  // And it is the reader who leaves the end.
  await log(page).hover();
  await page.mouse.wheel(0, -400);
  await expect.poll(() => fromEnd(page)).toBeGreaterThan(300);
  await writing.click();
  await page.keyboard.type('still reading');
  expect(await fromEnd(page)).toBeGreaterThan(300);
});

test('keeps the element of a message from unsent to sent', async ({ page }) => {
  // Its place is measured, not its way there.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const backend = new FakeBackend(me);
  write(backend, 20);
  backend.answer = 'silence';
  await openWith(page, backend);
  await page.getByLabel('Message to Milena').fill('#777 mine');
  await page.keyboard.press('Enter');
  const bubble = page.getByTestId('message').filter({ hasText: '#777' });
  await expect(bubble).toHaveAttribute('data-state', 'sending');
  const element = await bubble.elementHandle();
  const before = await bubble.boundingBox();
  const { client_id } = backend.sends[0]!;
  backend.emit({
    type: 'accepted',
    client_id,
    id: 'm-777',
    conversation: idOf(milena),
    position: 9_000,
    sent_at: new Date().toISOString(),
  });
  await expect(bubble).toHaveAttribute('data-state', 'accepted');
  expect(await element.evaluate((node) => node.isConnected)).toBe(true);
  expect(await bubble.boundingBox()).toEqual(before);
});
