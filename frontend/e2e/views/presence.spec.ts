// Who is here and who writes: at both widths and in both themes, without a jump of the page, without more
// than is known, and for those who do not see it.
import { expect, test } from '@playwright/test';
import type { Locator, Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { looks, violations } from '../fake/look';
import { chatOf, furnish, layla, max, me, mei, milena, ottla } from '../fake/people';

const HOUR_MS = 3_600_000;
/** Half past three in Prague. */
const NOW = new Date('2026-11-29T14:30:00Z');

/** Everybody is somewhere. */
async function open(page: Page, path = chatOf(milena)): Promise<FakeBackend> {
  const backend = new FakeBackend({ ...me });
  // Where the clock runs ahead nobody answers in time.
  backend.heartbeatMs = 3_600_000;
  furnish(backend);
  backend.presence.set(milena, 'online');
  backend.presence.set(max, 'away');
  backend.presence.set(mei, 'online');
  backend.presence.set(ottla, 'offline', new Date(NOW.getTime() - 24 * HOUR_MS));
  await backend.attach(page);
  await page.goto(path);
  await expect(page.getByLabel(/^Your menu/)).toBeAttached();
  return backend;
}

const row = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Conversations' }).getByRole('link', { name });
const mark = (of: Locator) => of.getByTestId('availability');
const standing = (page: Page) => page.getByTestId('standing');
const typing = (page: Page) => page.getByTestId('typing');

/** They go on with it. */
async function whileThey(go: () => void, action: () => Promise<void>): Promise<void> {
  const timer = setInterval(go, 1_000);
  await action();
  clearInterval(timer);
}

test.describe('who is here', () => {
  test('is told by a mark of its own shape, and in words', async ({ page }) => {
    await page.clock.install({ time: NOW });
    const backend = await open(page);
    await expect(mark(row(page, 'Milena'))).toHaveAttribute('data-availability', 'online');
    await expect(mark(row(page, 'Max'))).toHaveAttribute('data-availability', 'away');
    await expect(row(page, 'Milena Jesenská online')).toBeVisible();
    await expect(row(page, 'Max Brod away')).toBeVisible();
    await expect(mark(row(page, 'Ottla'))).toHaveCount(0);
    await expect(row(page, 'Ottla')).not.toContainText('offline');
    await expect(standing(page)).toHaveText('online');
    backend.presence.set(milena, 'away');
    await expect(standing(page)).toHaveText('away');
    await expect(mark(row(page, 'Milena'))).toHaveAttribute('data-availability', 'away');
    backend.presence.set(milena, 'offline', NOW);
    await expect(standing(page)).toHaveText('last seen just now');
    await expect(mark(row(page, 'Milena'))).toHaveCount(0);
    await page.clock.fastForward(5 * 60_000);
    await expect(standing(page)).toHaveText('last seen 5 minutes ago');
    await row(page, 'Ottla').click();
    await expect(standing(page)).toHaveText('last seen yesterday at 15:30');
    expect(await violations(page)).toEqual([]);
  });

  test('of somebody who was never seen, and of oneself, nothing is said', async ({ page }) => {
    await open(page, chatOf(layla));
    await expect(page.getByRole('heading', { name: 'ليلى' })).toBeVisible();
    await expect(mark(row(page, 'Milena'))).toBeVisible();
    await expect(standing(page)).toHaveCount(0);
    await page.goto(`${ORIGIN}/u/${me.id}`);
    await expect(page.getByRole('heading', { name: 'Notes to self' }).first()).toBeVisible();
    await expect(mark(row(page, 'Milena'))).toBeVisible();
    await expect(standing(page)).toHaveCount(0);
  });

  test('is not known while the connection is away, and is again after it', async ({ page }) => {
    const backend = await open(page);
    await expect(standing(page)).toHaveText('online');
    backend.up = false;
    await backend.drop();
    await expect(standing(page)).toHaveCount(0);
    await expect(page.getByTestId('availability')).toHaveCount(0);
    backend.presence.set(milena, 'away');
    backend.up = true;
    await expect(standing(page)).toHaveText('away', { timeout: 30_000 });
    await expect(mark(row(page, 'Max'))).toBeVisible();
  });

  test('is asked for of those in view, once, and again in time', async ({ page }) => {
    await page.clock.install({ time: NOW });
    const backend = await open(page);
    await expect(standing(page)).toHaveText('online');
    await expect.poll(() => backend.presence.watched?.users.length).toBe(6);
    expect(backend.presence.watched?.conversations).toEqual([backend.thread(milena).conversation.id]);
    await page.clock.runFor(5_000);
    const before = backend.presence.of('watch').length;
    expect(before).toBeLessThanOrEqual(3);
    await page.clock.runFor(200_000);
    expect(backend.presence.of('watch')).toHaveLength(before);
    await page.clock.runFor(45_000);
    expect(backend.presence.of('watch')).toHaveLength(before + 1);
    await expect(standing(page)).toHaveText('online');
  });

  test('is seen among members, in the sheet of one, and while one looks for people', async ({ page }) => {
    const backend = new FakeBackend({ ...me });
    furnish(backend);
    const room = backend.room('Tram friends', [milena, max, ottla]);
    backend.add(room, max, 'Which platform?', new Date());
    backend.presence.set(milena, 'online');
    backend.presence.set(max, 'away');
    await backend.attach(page);
    await page.goto(`${ORIGIN}/c/${room.conversation.id}`);
    await page.getByRole('button', { name: '4 members' }).click();
    const members = page.getByRole('complementary', { name: 'About this room' });
    await expect(mark(members.getByRole('button', { name: /Milena.* online/ }))).toBeVisible();
    await expect(mark(members.getByRole('button', { name: /Max.* away/ }))).toBeVisible();
    await looks(page, 'presence-members');
    await members.getByRole('button', { name: /Max/ }).click();
    await expect(mark(page.getByRole('dialog', { name: 'Member' }))).toBeVisible();
    await page.keyboard.press('Escape');
    await members.getByRole('button', { name: 'Add people' }).click();
    await page.getByRole('combobox', { name: 'People' }).fill('mi');
    await expect(mark(page.getByRole('option', { name: /Milena.* online/ }))).toBeVisible();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.getByLabel('Find people').fill('ma');
    await expect(mark(page.getByRole('option', { name: /Max.* away/ }))).toBeVisible();
  });
});

test.describe('who writes', () => {
  test('stands below the messages, moves nothing, and goes', async ({ page }) => {
    await page.clock.install({ time: NOW });
    const backend = await open(page);
    const thread = backend.thread(milena);
    const box = () => page.getByLabel('Message to Milena').boundingBox();
    const last = () => page.getByTestId('message').last().boundingBox();
    await expect(page.getByTestId('message').last()).toBeInViewport();
    const [field, message] = [await box(), await last()];
    backend.presence.type(thread, milena);
    await expect(typing(page)).toContainText('Milena Jesenská is writing');
    expect(await box()).toEqual(field);
    expect(await last()).toEqual(message);
    await whileThey(
      () => backend.presence.type(thread, milena),
      () => looks(page, 'typing'),
    );
    await page.clock.runFor(100);
    await page.clock.runFor(5_000);
    await expect(typing(page)).toContainText('is writing');
    await page.clock.runFor(1_500);
    await expect(typing(page)).toHaveText('');
    expect(await box()).toEqual(field);
    backend.presence.type(thread, milena);
    await expect(typing(page)).toContainText('is writing');
    backend.deliver(milena, 'Off at noon');
    await expect(page.getByTestId('message').filter({ hasText: 'Off at noon' })).toBeVisible();
    await expect(typing(page)).toHaveText('');
    backend.presence.type(thread, milena);
    await expect(typing(page)).toContainText('is writing');
    backend.presence.type(thread, milena, false);
    await expect(typing(page)).toHaveText('');
  });

  test('is named up to three, and read out when it begins', async ({ page }) => {
    await page.clock.install({ time: NOW });
    const backend = new FakeBackend({ ...me });
    furnish(backend);
    const room = backend.room('Tram friends', [milena, max, ottla, mei]);
    backend.add(room, max, 'Which platform?', new Date());
    await backend.attach(page);
    await page.goto(`${ORIGIN}/c/${room.conversation.id}`);
    await expect(page.getByTestId('message')).toBeVisible();
    const [line, spoken] = [typing(page).locator('p'), typing(page).locator('[aria-live=polite]')];
    backend.presence.type(room, milena);
    await expect(line).toHaveText('Milena Jesenská is writing');
    await expect(spoken).toHaveText('Milena Jesenská is writing');
    backend.presence.type(room, max);
    await expect(line).toHaveText('Milena Jesenská and Max Brod are writing');
    backend.presence.type(room, ottla);
    await expect(line).toHaveText('Milena Jesenská, Max Brod and Ottla are writing');
    await expect(spoken).toHaveText('Milena Jesenská is writing');
    backend.presence.type(room, mei);
    await expect(line).toHaveText('Several people are writing');
    const all = () => [milena, max, ottla, mei].forEach((one) => backend.presence.type(room, one));
    await whileThey(all, () => looks(page, 'typing-several'));
    await page.clock.runFor(6_100);
    await expect(line).toHaveCount(0);
    await expect(spoken).toHaveText('');
  });

  test('stands still for whoever wants no motion', async ({ page }) => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const backend = await open(page);
    const drop = typing(page).locator('i').first();
    // Told to whoever is connected by then.
    await expect(async () => {
      backend.presence.type(backend.thread(milena), milena);
      await expect(drop).toBeVisible({ timeout: 500 });
    }).toPass();
    await expect(drop).toHaveCSS('opacity', '1');
    await expect(drop).toHaveCSS('animation-iteration-count', '1');
  });

  test('is told of oneself at most every three seconds, and its end', async ({ page }) => {
    await page.clock.install({ time: NOW });
    const backend = await open(page);
    const said = () => backend.presence.of('typing').map(({ on }) => on);
    const field = page.getByLabel('Message to Milena');
    await field.pressSequentially('Hello there');
    await expect.poll(said).toEqual([true]);
    await page.clock.runFor(3_100);
    await field.pressSequentially(', you');
    await expect.poll(said).toEqual([true, true]);
    await field.fill('');
    await expect.poll(said).toEqual([true, true, false]);
    await page.clock.runFor(3_100);
    await field.pressSequentially('Sent');
    await page.keyboard.press('Enter');
    await expect.poll(said).toEqual([true, true, false, true, false]);
    // Other words for something that is there make nobody wait.
    backend.life = true;
    await page.reload();
    await expect(page.getByTestId('message').last()).toBeVisible();
    await field.press('ArrowUp');
    await expect(page.getByTestId('writing')).toBeVisible();
    await page.getByLabel('Edit your message').pressSequentially(' again');
    expect(said()).toHaveLength(5);
  });
});

test('that nobody sits here is said after five minutes, and that somebody is back', async ({ page }) => {
  await page.clock.install({ time: NOW });
  const backend = await open(page);
  await expect(standing(page)).toHaveText('online');
  const said = () => backend.presence.of('idle').map(({ on }) => on);
  await page.mouse.move(300, 300);
  await page.clock.runFor(290_000);
  expect(said()).toEqual([]);
  await page.clock.runFor(15_000);
  await expect.poll(said).toEqual([true]);
  await page.mouse.move(310, 300);
  await expect.poll(said).toEqual([true, false]);
});

test.describe('what others see of oneself', () => {
  test('is chosen in the settings', async ({ page }) => {
    const backend = await open(page, `${ORIGIN}/settings`);
    const card = page.getByRole('region', { name: 'Being here' });
    await expect(card.getByRole('radio', { name: 'People I share a conversation with' })).toBeChecked();
    await card.getByRole('radio', { name: 'Nobody' }).check();
    await expect.poll(() => backend.presence.settings.audience).toBe('nobody');
    await card.getByRole('switch', { name: 'Appear offline' }).click();
    await expect.poll(() => backend.presence.settings.hidden).toBe(true);
    await card.scrollIntoViewIfNeeded();
    await looks(page, 'presence-settings');
    backend.broken = /me\/presence/;
    await card.getByRole('radio', { name: 'Everybody' }).click();
    await expect(card.getByRole('alert')).toBeVisible();
    await expect(card.getByRole('radio', { name: 'Nobody' })).toBeChecked();
  });

  test('is hidden from the menu, and shown there', async ({ page }) => {
    const backend = await open(page);
    await page.getByLabel('Your menu').click();
    await page.getByRole('switch', { name: 'Appear offline' }).click();
    await expect(page.getByLabel('Your menu. You appear offline')).toBeVisible();
    expect(backend.presence.settings).toEqual({ audience: 'shared', hidden: true });
    await looks(page, 'presence-menu');
    await page.getByRole('switch', { name: 'Appear offline' }).click();
    await expect(page.getByLabel('Your menu', { exact: true })).toBeVisible();
  });
});
