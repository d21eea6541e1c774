// The account with the real program: names, passwords, sessions, several devices and tabs, and a server that
// is slow, stopped and started again.
import { expect, test } from '@playwright/test';
import type { BrowserContext, Page } from '@playwright/test';

import { MilenaServer } from './real/milena-server';
import { PASSWORD, PersonAtBrowser } from './real/person';

test.describe.configure({ mode: 'serial' });

const NEW_PASSWORD = 'battery staple';
const server = new MilenaServer();
let anna: PersonAtBrowser;
let ben: PersonAtBrowser;
let phone: BrowserContext;
let onPhone: Page;

test.beforeAll(async ({ browser }) => {
  await server.start();
  anna = await PersonAtBrowser.open(browser, server.url, 'Anna');
  ben = await PersonAtBrowser.open(browser, server.url, 'Ben');
  await anna.register('anna');
  await ben.register('ben');
  await ben.find('anna', 'Anna');
  await ben.send('hello');
  phone = await browser.newContext({
    baseURL: server.url,
    viewport: { width: 390, height: 800 },
    userAgent:
      'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36',
  });
  onPhone = await phone.newPage();
});

test.afterAll(async () => {
  await server.dispose();
});

async function logIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('Username').fill('Anna');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

const sessionsOf = (page: Page) => page.getByRole('list', { name: 'Sessions' }).getByRole('listitem');

test('a link leads to its conversation by way of the login', async () => {
  const link = new URL(ben.page.url()).pathname;
  await onPhone.goto(link);
  await logIn(onPhone, 'not the password');
  await expect(onPhone.getByRole('alert')).toHaveText('Unknown username or wrong password.');
  await logIn(onPhone, PASSWORD);
  await expect(onPhone.getByText('hello').first()).toBeVisible();
  expect(new URL(onPhone.url()).pathname).toBe(link);
});

test('a new name is seen in one’s tabs at once, by others when they look again, no reload', async () => {
  const tab = await anna.context.newPage();
  await tab.goto('/settings');
  await anna.page.goto('/settings');
  await expect(tab.getByText('Anna', { exact: true })).toBeVisible();
  await anna.page.getByLabel('Name', { exact: true }).fill('Anna K.');
  await anna.page.getByRole('button', { name: 'Save name' }).click();
  await expect(anna.page.getByText('Saved.')).toBeVisible();
  await expect(tab.getByText('Anna K.', { exact: true })).toBeVisible();
  await tab.close();
  await expect(ben.page.getByRole('heading', { name: 'Anna', exact: true })).toBeVisible();
  // A minute later.
  await ben.page.evaluate(() => {
    const now = Date.now;
    Date.now = () => now() + 61_000;
    window.dispatchEvent(new Event('focus'));
  });
  await expect(ben.page.getByRole('heading', { name: 'Anna K.' })).toBeVisible();
  await expect(ben.row('Anna K.')).toBeVisible();
});

test('the phone is in the list, and is logged out from here at once', async () => {
  await expect(onPhone.getByRole('textbox', { name: /^Message to/ })).toBeVisible();
  await anna.page.goto('/settings');
  await expect(sessionsOf(anna.page)).toHaveCount(2);
  await expect(sessionsOf(anna.page).first()).toContainText('This device');
  await anna.page.getByRole('button', { name: 'Log out Chrome on Android' }).click();
  await expect(onPhone.getByText('Your session has ended.', { exact: false })).toBeVisible({
    timeout: 5_000,
  });
  await expect(sessionsOf(anna.page)).toHaveCount(1);
});

test('a new password ends the other sessions, and the old one opens nothing', async () => {
  await logIn(onPhone, PASSWORD);
  await expect(onPhone.getByRole('textbox', { name: /^Message to/ })).toBeVisible();
  await anna.page.getByLabel('Current password').fill('wrong horse');
  await anna.page.getByLabel('New password').fill(NEW_PASSWORD);
  await anna.page.getByRole('button', { name: 'Change password' }).click();
  await expect(anna.page.getByText('This is not your current password.')).toBeVisible();
  await anna.page.getByLabel('Current password').fill(PASSWORD);
  await anna.page.getByRole('button', { name: 'Change password' }).click();
  await expect(anna.page.getByText('Your other sessions were logged out.')).toBeVisible();
  await expect(onPhone.getByText('Your session has ended.', { exact: false })).toBeVisible({
    timeout: 5_000,
  });
  await logIn(onPhone, PASSWORD);
  await expect(onPhone.getByRole('alert')).toHaveText('Unknown username or wrong password.');
  await logIn(onPhone, NEW_PASSWORD);
  await expect(onPhone.getByRole('textbox', { name: /^Message to/ })).toBeVisible();
  // Here one goes on.
  await anna.page.reload();
  await expect(sessionsOf(anna.page)).toHaveCount(2);
});

test('a slow server is waited for, a stopped one is named, and the work goes on after it', async () => {
  const { page } = anna;
  await page.route('**/api/v1/me', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await route.continue();
  });
  await page.getByLabel('Name', { exact: true }).fill('Anna Slow');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Saving…' })).toHaveAttribute('aria-busy', 'true');
  await expect(page.getByText('Saved.')).toBeVisible();
  await page.unroute('**/api/v1/me');

  await server.kill();
  await page.getByLabel('Name', { exact: true }).fill('Anna Again');
  await page.keyboard.press('Enter');
  await expect(page.getByText('The server cannot be reached.')).toBeVisible();
  await expect(anna.banner).toBeVisible();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Anna Again');
  await server.start();
  await expect(anna.banner).toHaveCount(0, { timeout: 40_000 });
  await page.getByRole('button', { name: 'Save name' }).click();
  await expect(page.getByText('Saved.')).toBeVisible();
});

/** Stands in for the desktop: what would be shown is written down in the page. */
async function desktop(page: Page): Promise<void> {
  await page.addInitScript(() => {
    class Shown {
      static permission = localStorage.getItem('test.permission') ?? 'default';
      static asked = 0;
      static shown: { title: string; body: string }[] = [];
      onclick: (() => void) | null = null;
      constructor(title: string, { body }: { body: string }) {
        Shown.shown.push({ title, body });
      }
      static requestPermission() {
        Shown.asked += 1;
        Shown.permission = 'granted';
        localStorage.setItem('test.permission', 'granted');
        return Promise.resolve('granted');
      }
      close() {
        return undefined;
      }
    }
    Object.assign(window, { Notification: Shown });
  });
}

interface Desktop {
  Notification: { asked: number; shown: { title: string; body: string }[] };
}
const shown = (page: Page) => page.evaluate(() => (window as unknown as Desktop).Notification.shown);

test('of two tabs one notifies, none for what is seen; asked on press; drafts and reads agree', async () => {
  const conversation = new URL(ben.page.url()).pathname;
  const first = await phone.newPage();
  const second = await phone.newPage();
  await onPhone.close();
  for (const tab of [first, second]) {
    await desktop(tab);
    await tab.goto('/settings');
    await expect(tab.getByLabel('Notifications on the desktop')).not.toBeChecked();
    await expect(tab.getByLabel('A sound for new messages')).not.toBeChecked();
  }
  expect(await first.evaluate(() => (window as unknown as Desktop).Notification.asked)).toBe(0);
  await first.getByLabel('Notifications on the desktop').click();
  await expect(first.getByLabel('Notifications on the desktop')).toBeChecked();
  await second.reload();
  await expect(second.getByLabel('Notifications on the desktop')).toBeChecked();

  await ben.send('are you there?');
  await expect(first).toHaveTitle('(1) Milena');
  await expect(second).toHaveTitle('(1) Milena');
  await expect(first.locator('link[rel=icon]')).toHaveAttribute('href', '/favicon-unread.svg');
  await expect
    .poll(async () => [...(await shown(first)), ...(await shown(second))])
    .toEqual([{ title: 'Ben', body: 'are you there?' }]);

  // Read in one tab: read in the other.
  await second.goto(conversation);
  await expect(second.getByText('are you there?').first()).toBeVisible();
  await expect(first).toHaveTitle('Milena');
  await expect(first.locator('link[rel=icon]')).toHaveAttribute('href', '/favicon.svg');
  const before = (await shown(first)).length;
  await ben.send('I see you');
  await expect(second.getByText('I see you').first()).toBeVisible();
  // A notification later than the moment of listening would come now: the next message is announced after it.
  await second.goto('/settings');
  await ben.send('gone again?');
  await expect
    .poll(async () => [...(await shown(first)).slice(before), ...(await shown(second))])
    .toEqual([{ title: 'Ben', body: 'gone again?' }]);

  // What is typed in one is there in the other.
  await second.goto(conversation);
  await first.goto(conversation);
  await second.getByRole('textbox', { name: /^Message to/ }).fill('half a sent');
  await expect(first.getByRole('textbox', { name: /^Message to/ })).toHaveValue('half a sent');
});

test('nothing went wrong in the pages', () => {
  expect(anna.complaints).toEqual([]);
  expect(ben.complaints).toEqual([]);
});
