// What happens to a message when something goes wrong: nothing is lost, nothing is sent twice, nothing is
// claimed too early.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { chatOf, furnish, idOf, me, milena } from '../fake/people';

const composer = (page: Page) => page.getByLabel('Message to Milena');
const bubble = (page: Page, text: string) => page.getByTestId('message').filter({ hasText: text });
const banner = (page: Page) => page.getByTestId('connection-banner');

async function write(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await page.keyboard.press('Enter');
}

async function open(page: Page): Promise<FakeBackend> {
  const backend = new FakeBackend(me);
  furnish(backend);
  await backend.attach(page);
  await page.goto(chatOf(milena));
  await expect(page.getByRole('log')).toBeVisible();
  return backend;
}

test('sends one after the other, in order', async ({ page }) => {
  const backend = await open(page);
  for (const text of ['one', 'two', 'three', 'four']) await write(page, text);
  await expect(page.getByRole('img', { name: 'Sending' })).toHaveCount(0);
  expect(backend.sends.map(({ body }) => body)).toEqual(['one', 'two', 'three', 'four']);
  expect(backend.sends.some(({ retry }) => retry)).toBe(false);
});

test('an unsent message survives a reload and is sent again under its id', async ({ page }) => {
  const backend = await open(page);
  backend.answer = 'silence';
  await write(page, 'first');
  await write(page, 'second');
  await expect(bubble(page, 'first')).toHaveAttribute('data-state', 'sending');
  await expect(bubble(page, 'second')).toHaveAttribute('data-state', 'queued');
  await expect.poll(() => backend.sends.length).toBe(1);
  backend.answer = 'accept';
  await page.reload();
  await expect(bubble(page, 'second')).toHaveAttribute('data-state', 'accepted');
  const [before, again, second] = backend.sends;
  expect(again).toEqual({ ...before, retry: true });
  expect(second).toMatchObject({ body: 'second' });
  expect(backend.sends).toHaveLength(3);
  await expect(bubble(page, 'first')).toHaveCount(1);
});

test('a message written without a connection goes out when it is back', async ({ page }) => {
  const backend = await open(page);
  backend.up = false;
  await backend.drop();
  await write(page, 'written in the dark');
  await expect(bubble(page, 'dark')).toHaveAttribute('data-state', 'queued');
  await expect(banner(page)).toBeVisible();
  backend.up = true;
  await page.getByRole('button', { name: 'Try now' }).click();
  await expect(bubble(page, 'dark')).toHaveAttribute('data-state', 'accepted');
  await expect(banner(page)).toHaveCount(0);
  expect(backend.sends).toHaveLength(1);
});

test('a short interruption is not worth a word', async ({ page }) => {
  const backend = await open(page);
  await expect.poll(() => backend.hellos.length).toBe(1);
  const seen = page.waitForSelector('[data-testid=connection-banner]', { timeout: 3_000 }).then(
    () => true,
    () => false,
  );
  await backend.drop();
  await expect.poll(() => backend.hellos.length).toBe(2);
  expect(backend.hellos[1]?.resume).toBe('start');
  expect(await seen).toBe(false);
});

test('tries again by itself what was refused for now', async ({ page }) => {
  const backend = await open(page);
  backend.answer = { code: 'log_unavailable', message: 'no log', temporary: true };
  await write(page, 'patience');
  await expect(page.getByText('The server cannot save messages right now.')).toBeVisible();
  backend.answer = 'accept';
  await expect(bubble(page, 'patience')).toHaveAttribute('data-state', 'accepted');
  expect(new Set(backend.sends.map(({ client_id }) => client_id)).size).toBe(1);
});

test('says why one failed, and leaves the rest to the person', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ORIGIN });
  const backend = await open(page);
  backend.answer = { code: 'not_wanted', message: 'the recipient is away', temporary: false };
  await write(page, 'a text to keep');
  await expect(page.getByRole('alert')).toContainText('Not sent. The recipient is away.');
  await page.getByRole('button', { name: 'Copy' }).click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('a text to keep');
  await page.reload();
  await expect(page.getByRole('alert')).toContainText('The recipient is away.');
  backend.answer = 'accept';
  await write(page, 'behind it');
  await expect(bubble(page, 'behind it')).toHaveAttribute('data-state', 'accepted');
  await page.getByRole('button', { name: 'Retry' }).click();
  await expect(bubble(page, 'a text to keep')).toHaveAttribute('data-state', 'accepted');
});

test('a draft survives leaving and reloading, and shows in the list', async ({ page }) => {
  await open(page);
  await composer(page).fill('half a sent');
  await page.getByRole('link', { name: /Ottla/ }).click();
  await expect(page.getByRole('link', { name: /Milena/ })).toContainText('Draft: half a sent');
  await page.reload();
  await page.getByRole('link', { name: /Milena/ }).click();
  await expect(composer(page)).toHaveValue('half a sent');
});

test('fetches what was missed when the server cannot resume, and shows it once', async ({ page }) => {
  const backend = await open(page);
  await expect.poll(() => backend.hellos.length).toBe(1);
  backend.resumed = false;
  await backend.drop();
  backend.add(milena, milena, 'missed one', new Date());
  backend.add(milena, milena, 'missed two', new Date());
  await expect(bubble(page, 'missed two')).toBeInViewport();
  backend.deliver(milena, 'and live again');
  await expect(bubble(page, 'live again')).toBeInViewport();
  await expect(page.getByTestId('message').filter({ hasText: /^.*missed (one|two)/ })).toHaveCount(2);
});

test('fills a gap that the server names', async ({ page }) => {
  const backend = await open(page);
  await expect.poll(() => backend.hellos.length).toBe(1);
  const { messages } = backend.thread(milena);
  const after = messages.at(-1)?.position ?? 0;
  for (let i = 0; i < 130; i += 1) backend.add(milena, milena, `missed ${i}.`, new Date());
  const last = backend.add(milena, milena, 'the last one', new Date());
  backend.emit({ type: 'gap', conversation: idOf(milena), after, before: last.position });
  backend.emit({ type: 'message', ...last });
  await expect(bubble(page, 'the last one')).toBeInViewport();
  await expect(page.getByText('This is where it begins.')).not.toBeInViewport();
  await page.getByRole('log').focus();
  await expect(async () => {
    await page.keyboard.press('PageUp');
    await expect(bubble(page, 'missed 0.')).toBeInViewport({ timeout: 100 });
  }).toPass();
});

test('an ended session asks for a new login and comes back to the same place, with the text', async ({
  page,
}) => {
  const backend = await open(page);
  await composer(page).fill('do not lose me');
  backend.me = null;
  await backend.drop(4501);
  await expect(page.getByText('Your session has ended.')).toBeVisible();
  backend.me = me;
  await page.getByLabel('Username').fill('franz');
  await page.getByLabel('Password', { exact: true }).fill('correct horse');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(chatOf(milena));
  await expect(composer(page)).toHaveValue('do not lose me');
});

test('logging out asks when something is unsent, and leaves nothing behind', async ({ page }) => {
  const backend = await open(page);
  backend.answer = 'silence';
  await write(page, 'unsent');
  await page.getByLabel('Your menu').click();
  await page.getByRole('button', { name: 'Log out' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('One message was not sent yet');
  await dialog.getByRole('button', { name: 'Log out' }).click();
  await expect(page).toHaveURL(`${ORIGIN}/login`);
  backend.me = me;
  await page.goto(chatOf(milena));
  await expect(page.getByRole('log')).toBeVisible();
  await expect(bubble(page, 'unsent')).toHaveCount(0);
});

test('logging out in one tab ends the other one, and nothing unsent of it stays', async ({ context }) => {
  const [first, second] = [await context.newPage(), await context.newPage()];
  const backend = await open(first);
  await backend.attach(second);
  await second.goto(chatOf(milena));
  await expect(second.getByRole('log')).toBeVisible();
  await expect.poll(() => backend.hellos.length).toBe(2);
  backend.answer = 'silence';
  await write(second, 'unsent over there');
  await expect(bubble(second, 'over there')).toBeVisible();
  await first.getByLabel('Your menu').click();
  await first.getByRole('button', { name: 'Log out' }).click();
  const dialog = first.getByRole('dialog');
  await expect(dialog).toContainText('One message was not sent yet');
  await dialog.getByRole('button', { name: 'Log out' }).click();
  await expect(first).toHaveURL(`${ORIGIN}/login`);
  await expect(second.getByText('You logged out in another tab.')).toBeVisible();
  backend.me = me;
  await second.goto(chatOf(milena));
  await expect(second.getByRole('log')).toBeVisible();
  await expect(bubble(second, 'over there')).toHaveCount(0);
});

test('logging out without the server says that the server does not know', async ({ page }) => {
  const backend = await open(page);
  backend.up = false;
  await page.getByLabel('Your menu').click();
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page.getByText('The server could not be told that you logged out')).toBeVisible();
});

test('the whole way by keyboard', async ({ page }) => {
  const backend = await open(page);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('ottla');
  await expect(
    page.getByRole('listbox', { name: 'Search results' }).getByRole('option').first(),
  ).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Message to Ottla')).toBeFocused();
  await page.keyboard.type('two');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('lines');
  await page.keyboard.press('Enter');
  await expect.poll(() => backend.sends.at(-1)?.body).toBe('two\nlines');
  await expect(page.getByLabel('Message to Ottla')).toBeFocused();
});

test('an unsent message belongs to one page, and goes to another when that one is closed', async ({
  context,
}) => {
  const first = await context.newPage();
  const backend = await open(first);
  backend.answer = 'silence';
  await write(first, 'whose is it');
  await expect.poll(() => backend.sends.length).toBe(1);
  const second = await context.newPage();
  await backend.attach(second);
  await second.goto(chatOf(milena));
  await expect(second.getByRole('log')).toBeVisible();
  await expect.poll(() => backend.hellos.length).toBe(2);
  expect(backend.sends).toHaveLength(1);
  await first.close();
  backend.answer = 'accept';
  await backend.drop();
  await expect(bubble(second, 'whose is it')).toHaveAttribute('data-state', 'accepted');
  expect(backend.sends).toEqual([backend.sends[0], { ...backend.sends[0], retry: true }]);
});
