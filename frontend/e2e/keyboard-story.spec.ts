// A day at the keyboard, with the real program: from signing up to logging out without a pointer. Wherever
// the focus stops, it is to be seen.
import { expect, test } from '@playwright/test';
import type { Locator, Page } from '@playwright/test';

import { focusMark } from './fake/layout';
import { MilenaServer } from './real/milena-server';
import { PASSWORD, PersonAtBrowser } from './real/person';

const server = new MilenaServer();

test.beforeAll(() => server.start());
test.afterAll(() => server.dispose());

test('sign up, find somebody, write, read, end a session, log out', async ({ browser }) => {
  const ben = await PersonAtBrowser.open(browser, server.url, 'Ben');
  await ben.register('ben');
  // Nobody touches a mouse from here on.
  const anna = await PersonAtBrowser.open(browser, server.url, 'Anna');
  const { page } = anna;
  const keys = page.keyboard;
  await page.goto('/login');
  await tabTo(page, page.getByRole('link', { name: 'Create an account' }));
  await keys.press('Enter');
  await expect(page.getByRole('heading', { name: 'Create your account' })).toBeVisible();
  await tabTo(page, page.getByLabel('Username'));
  await keys.type('anna');
  await tabTo(page, page.getByLabel('Name (optional)'));
  await keys.type('Anna Karenina');
  await tabTo(page, page.getByLabel('Password', { exact: true }));
  await keys.type(PASSWORD);
  await keys.press('Enter');
  await expect(page.getByLabel('Your menu')).toBeVisible();

  const search = page.getByRole('search').locator('input');
  await tabTo(page, search);
  await keys.type('ben');
  await expect(page.getByRole('option', { name: /@ben/ })).toBeVisible();
  await keys.press('Enter');
  const writing = page.getByRole('textbox', { name: /^Message to/ });
  await tabTo(page, writing);
  for (let line = 1; line <= 24; line += 1) {
    await keys.type(`letter ${line}.`);
    await keys.press('Enter');
  }
  await expect(anna.bubble('letter 24.')).toHaveAttribute('data-state', 'accepted');

  await backTo(page, page.getByRole('log'));
  for (let line = 24; line > 3; line -= 1) {
    await keys.press('ArrowUp');
    await expect(anna.bubble(`letter ${line}.`)).toBeFocused();
  }
  await seen(page);
  await expect(anna.bubble('letter 4.')).toBeInViewport();
  await keys.press('Escape');
  await expect(writing).toBeFocused();

  // Another device of hers, which is to be logged out from here.
  const other = await browser.newContext({ baseURL: server.url });
  const answer = await other.request.post('/api/v1/login', {
    data: { username: 'anna', password: PASSWORD },
  });
  expect(answer.ok()).toBe(true);
  await keys.press('Control+,');
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  const list = page.getByRole('list', { name: 'Sessions' });
  await expect(list.getByRole('listitem')).toHaveCount(2);
  await tabTo(page, list.getByRole('button', { name: /^Log out/ }), 60);
  await keys.press('Enter');
  await expect(list.getByRole('listitem')).toHaveCount(1);
  expect((await other.request.get('/api/v1/me')).status()).toBe(401);

  await tabTo(page, page.getByRole('main').getByRole('button', { name: 'Log out', exact: true }), 60);
  await keys.press('Enter');
  await expect(page.getByRole('heading', { name: 'Welcome back' })).toBeVisible();
  expect(anna.complaints).toEqual([]);
  await other.close();
});

/** Presses Tab until it is there; on the way, every stop shows where the keyboard is. */
const tabTo = (page: Page, wanted: Locator, stops = 30) => walk(page, 'Tab', wanted, stops);
const backTo = (page: Page, wanted: Locator) => walk(page, 'Shift+Tab', wanted, 30);

async function walk(page: Page, key: string, wanted: Locator, stops: number): Promise<void> {
  const there = () => wanted.evaluate((element) => element === document.activeElement);
  for (let stop = 0; stop < stops && !(await there()); stop += 1) {
    await page.keyboard.press(key);
    await seen(page);
  }
  await expect(wanted).toBeFocused();
}

async function seen(page: Page): Promise<void> {
  // Between the last element and the first, the focus is with the browser itself.
  if (await page.evaluate(() => document.activeElement === document.body)) return;
  const { name, marked } = await focusMark(page);
  expect(marked, `the focus on “${name}” is not to be seen`).toBe(true);
}
