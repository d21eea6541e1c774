// A day at the keyboard, with the real program: from signing up to logging out without a pointer. Wherever
// the focus stops, it is to be seen.
import { expect, test } from '@playwright/test';
import type { Locator, Page } from '@playwright/test';

import { focusMark } from './fake/layout';
import { Correspondent } from './real/correspondent';
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

test('a message’s life: answered, jumped to, edited, reacted to, pinned, deleted, and people named', async ({
  browser,
}) => {
  // Some two hundred keys, each looked at.
  test.slow();
  const carol = await Correspondent.register(server.url, 'carol', 'Carol');
  const room = await carol.makeRoom('Trams');
  const dora = await PersonAtBrowser.open(browser, server.url, 'Dora');
  await dora.register('dora');
  await dora.elsewhere('POST', `rooms/${room}/join`);
  await carol.say(room, 'Which platform was it?');
  let position = 0;
  for (let line = 1; line <= 40; line += 1) position = await carol.say(room, `Line ${line}.`);
  // What is unread is where a conversation opens.
  await dora.elsewhere('PUT', `conversations/${room}/read`, { position });
  const { page } = dora;
  const keys = page.keyboard;
  await page.goto(`/c/${room}`);
  await expect(dora.bubble('Line 40.')).toBeInViewport();
  const writing = page.getByRole('textbox', { name: /^(Message to|Edit your)/ });
  const sheet = page.getByRole('dialog', { name: 'Message' });
  const settled = page.getByTestId('settled');
  await tabTo(page, writing);

  // Up to the question, and an answer to it.
  await backTo(page, page.getByRole('log'));
  for (let line = 40; line > 0; line -= 1) {
    await keys.press('ArrowUp');
    await expect(dora.bubble(`Line ${line}.`)).toBeFocused();
  }
  await keys.press('ArrowUp');
  await expect(dora.bubble('Which platform')).toBeFocused();
  await seen(page);
  await keys.press('Enter');
  await tabTo(page, sheet.getByRole('button', { name: 'Reply' }));
  await keys.press('Enter');
  await expect(writing).toBeFocused();
  await seen(page);
  await expect(page.getByTestId('writing')).toContainText('Answering');
  await keys.type('Number two.');
  await keys.press('Enter');
  await expect(dora.bubble('Number two.')).toHaveAttribute('data-state', 'accepted');

  // To what it answers, and back.
  await backTo(page, page.getByRole('log'));
  await keys.press('ArrowUp');
  await expect(dora.bubble('Number two.')).toBeFocused();
  await tabTo(page, dora.bubble('Number two.').getByTitle('Show this message'));
  await keys.press('Enter');
  await expect(dora.bubble('Which platform').first()).toBeInViewport();
  const back = page.getByRole('button', { name: 'Back to the answer' });
  await expect(back).toBeVisible();
  await tabTo(page, back);
  await keys.press('Enter');
  await expect(dora.bubble('Number two.')).toBeInViewport();

  // An edit that is left, and one that is not.
  await tabTo(page, writing);
  await keys.press('ArrowUp');
  await expect(writing).toHaveValue('Number two.');
  await keys.type(' Or three?');
  await keys.press('Escape');
  await expect(writing).toHaveValue('');
  await expect(page.getByTestId('writing')).toHaveCount(0);
  await keys.press('ArrowUp');
  await keys.press('End');
  await keys.press('Backspace');
  await keys.type(', at the end.');
  await seen(page);
  await keys.press('Enter');
  await expect(dora.bubble('Number two, at the end.')).toContainText('(edited)');

  // A reaction, and a pin.
  await backTo(page, page.getByRole('log'));
  await keys.press('ArrowUp');
  await keys.press('Enter');
  await tabTo(page, sheet.getByRole('button', { name: '👍' }));
  await keys.press('ArrowRight');
  await seen(page);
  await keys.press('Enter');
  await expect(settled).toHaveText('Reacted with ❤️');
  await expect(dora.bubble('at the end.')).toBeFocused();
  await keys.press('Enter');
  await tabTo(page, sheet.getByRole('button', { name: 'Pin', exact: true }));
  await keys.press('Enter');
  await expect(dora.quiet('You pinned a message')).toBeVisible();

  // People are named with Tab, and with Enter by whoever has moved in the list: else it sends.
  await keys.press('Escape');
  await expect(writing).toBeFocused();
  await keys.type('Ask @car');
  await expect(page.getByRole('option', { name: /Carol/ })).toBeVisible();
  await keys.press('Tab');
  await keys.type('or @every');
  await expect(page.getByRole('option', { name: /everyone/ })).toBeVisible();
  await keys.press('ArrowDown');
  await keys.press('Enter');
  await expect(writing).toHaveValue('Ask @carol or @everyone ');
  await keys.press('Enter');
  await expect(dora.bubble('Ask').getByTestId('mention')).toHaveText(['@Carol', '@everyone']);

  // Gone.
  await backTo(page, page.getByRole('log'));
  await keys.press('ArrowUp');
  await expect(dora.bubble('Ask')).toBeFocused();
  await keys.press('Enter');
  await tabTo(page, sheet.getByRole('button', { name: 'Delete…' }));
  await keys.press('Enter');
  const question = page.getByRole('dialog', { name: 'Delete this message?' });
  await tabTo(page, question.getByRole('button', { name: 'Delete', exact: true }));
  await keys.press('Enter');
  await expect(page.getByTestId('deleted')).toBeVisible();
  await expect(settled).toHaveText('Message deleted');
  await seen(page);
  expect(dora.complaints).toEqual([]);
  await carol.dispose();
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
