// The page as something that one installs, with the real program: it opens and can be read while the server
// is away, comes back to life with it, becomes the next build without losing a word, and keeps nothing of
// whoever logged out.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { kept } from './fake/kept';
import { look } from './fake/look';
import { MilenaServer } from './real/milena-server';
import { NextBuild } from './real/next-build';
import { PASSWORD, PersonAtBrowser } from './real/person';

// A server that ends and comes back is waited for: on a busy machine that is more than the usual minute.
test.describe.configure({ mode: 'serial', timeout: 180_000 });

const server = new MilenaServer();
let anna: PersonAtBrowser;
let ben: PersonAtBrowser;
const secret = 'The key is under the third tram';

const composer = ({ page }: PersonAtBrowser) => page.getByRole('textbox', { name: /^Message to/ });

/** Until the worker answers for this page, with all files of it. */
const ready = (page: Page) =>
  page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller) return;
    await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done));
  });

/** Everything that workers of the page have stored: addresses, and all text in it. */
const cached = (page: Page) =>
  page.evaluate(async () => {
    const found: { path: string; text: string }[] = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const answer = await cache.match(request);
        found.push({ path: new URL(request.url).pathname, text: (await answer?.text()) ?? '' });
      }
    }
    return found;
  });

test.beforeAll(async ({ browser }) => {
  await server.start();
  anna = await PersonAtBrowser.open(browser, server.url, 'Anna Karenina', { serviceWorkers: 'allow' });
  ben = await PersonAtBrowser.open(browser, server.url, 'Ben 本');
  await anna.register('anna');
  await ben.register('ben');
});

test.afterAll(() => server.dispose());

test('it can be installed', async () => {
  const manifest = (await (await anna.context.request.get('/manifest.webmanifest')).json()) as {
    icons: { src: string; type: string }[];
  };
  for (const { src, type } of manifest.icons) {
    const icon = await anna.context.request.get(src);
    expect(icon.headers()['content-type']).toBe(type);
  }
  const cdp = await anna.context.newCDPSession(anna.page);
  const { installabilityErrors } = await cdp.send('Page.getInstallabilityErrors');
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')).toEqual(
    [],
  );
});

test('without a server it opens, and what was looked at can be read', async () => {
  await anna.find('ben', 'Ben 本');
  await anna.send('Are you at the station?');
  await ben.row('Anna Karenina').click();
  await ben.send('Platform two, as always.');
  await ben.send(secret);
  await expect(anna.bubble(secret)).toBeVisible();
  await ready(anna.page);
  await anna.page.goto('/rooms');
  await expect(anna.page.getByText('There is no public room yet')).toBeVisible();
  await anna.row('Ben 本').click();
  await expect(anna.bubble(secret)).toBeVisible();
  const address = anna.page.url();
  // Kept a moment after it was shown.
  await expect.poll(() => kept(anna.page).then((all) => all.split(secret).length)).toBeGreaterThan(3);
  await server.kill();
  await anna.page.reload();
  await expect(anna.bubble('Platform two, as always.')).toContainText('Platform two');
  await expect(anna.bubble(secret)).toBeVisible();
  await expect(anna.row('Ben 本')).toContainText(secret);
  await expect(anna.banner).toBeVisible();
  await look(anna.page, 'offline');
  // Another address of it, opened afresh.
  await anna.page.goto('/settings');
  await expect(anna.page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  await anna.page.goto(address);
  await composer(anna).fill('I am on my way.');
  await anna.page.keyboard.press('Enter');
  await expect(anna.bubble('I am on my way.')).toHaveAttribute('data-state', 'queued');
  await server.start();
  await expect(anna.bubble('I am on my way.')).toHaveAttribute('data-state', 'accepted', { timeout: 40_000 });
  await expect(ben.bubble('I am on my way.')).toBeVisible({ timeout: 40_000 });
  await expect(anna.banner).toHaveCount(0);
  await ben.send('Hurry!');
  await expect(anna.bubble('Hurry!')).toBeInViewport();
});

test('the worker has the files of the page, and nothing of what the server said', async () => {
  const found = await cached(anna.page);
  expect(found.map(({ path }) => path)).toContain('/');
  for (const { path, text } of found) {
    expect(path).toMatch(/^\/($|assets\/|[a-z0-9-]+\.(svg|png|webmanifest)$)/);
    expect(text).not.toMatch(/third tram|Platform two|Anna Karenina/);
  }
});

test('what is deleted while no page is open is kept no longer than to the next start', async () => {
  await anna.page.goto('about:blank');
  await ben.bubble(secret).focus();
  await ben.page.keyboard.press('Enter');
  await ben.page.getByRole('dialog').getByRole('button', { name: 'Delete…' }).click();
  await ben.page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(ben.page.getByTestId('deleted')).toBeVisible();
  await anna.page.goto('/settings');
  await expect.poll(() => kept(anna.page), { timeout: 30_000 }).not.toContain(secret);
  expect(await kept(anna.page)).toContain('Platform two');
});

test('the next build says so, and takes over with what was typed', async ({ browser }) => {
  const next = new NextBuild(server.url);
  await next.start();
  const guest = await PersonAtBrowser.open(browser, next.url, 'Carol', { serviceWorkers: 'allow' });
  const { page } = guest;
  await guest.register('carol');
  await ready(page);
  await guest.find('anna', 'Anna Karenina');
  await composer(guest).pressSequentially('Half a sentence');
  const bar = page.getByTestId('update-bar');
  await expect(bar).toHaveCount(0);
  // The server is replaced; the page looks for another build when it is back, a minute after it began.
  await page.clock.install();
  await page.clock.fastForward(61_000);
  next.release();
  await expect(bar).toBeVisible({ timeout: 40_000 });
  await expect(composer(guest)).toHaveValue('Half a sentence');
  await look(page, 'update');
  await composer(guest).press('End');
  await page.keyboard.type(' and its end');
  await bar.getByRole('button', { name: 'Reload' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-build', 'next');
  await expect(composer(guest)).toHaveValue('Half a sentence and its end');
  await expect(bar).toHaveCount(0);
  await guest.page.keyboard.press('Enter');
  await expect(guest.bubble('Half a sentence and its end')).toHaveAttribute('data-state', 'accepted');
  // Without the server it is the next build, too.
  expect((await cached(page)).map(({ path }) => path)).toContain('/assets/index-next.js');
  expect(guest.complaints).toEqual([]);
  await guest.context.close();
  await next.dispose();
});

test('whoever logs out leaves nothing to be read, with or without a server', async () => {
  await anna.page.goto('/');
  await anna.row('Ben 本').click();
  await expect(anna.bubble('Hurry!')).toBeVisible();
  await expect.poll(() => kept(anna.page).then((all) => all.split('Hurry!').length)).toBeGreaterThan(3);
  await anna.page.getByLabel('Your menu').click();
  await anna.page.getByRole('button', { name: 'Log out' }).click();
  await expect(anna.page).toHaveURL(/\/login$/);
  expect(await kept(anna.page)).not.toMatch(/Hurry!|Platform two|Ben 本/);
  await server.kill();
  await anna.page.goto('/');
  await expect(anna.page.getByText('The server cannot be reached')).toBeVisible();
  await look(anna.page, 'offline-nobody');
  await server.start();
  await anna.page.getByLabel('Username').fill('anna');
  await anna.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await anna.page.keyboard.press('Enter');
  await expect(anna.row('Ben 本')).toContainText('Hurry!');
});

test('the pages had nothing to complain about', () => {
  expect(anna.complaints).toEqual([]);
  expect(ben.complaints).toEqual([]);
});
