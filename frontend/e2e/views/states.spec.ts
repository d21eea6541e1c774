// The states that one seldom sees: while something loads, when it cannot be had, and with what people really
// write. In both themes and widths.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { look } from '../fake/look';
import { chatOf, furnish, idOf, layla, long, me, mei, milena, scripts } from '../fake/people';

async function open(page: Page, path: string, bend: (backend: FakeBackend) => void): Promise<FakeBackend> {
  const backend = new FakeBackend({ ...me });
  bend(backend);
  await backend.attach(page);
  await page.goto(`${ORIGIN}${path}`);
  return backend;
}

for (const colorScheme of ['light', 'dark'] as const)
  for (const width of [1280, 390])
    test.describe(`${colorScheme}, ${width}`, () => {
      test.use({ colorScheme, viewport: { width, height: width === 390 ? 844 : 800 } });

      test('loading', async ({ page }) => {
        const backend = await open(page, '/', (server) => {
          furnish(server);
          server.held = /conversations$/;
        });
        await expect(page.getByRole('status', { name: 'Loading conversations' })).toBeVisible();
        await look(page, 'loading-list');
        backend.held = /messages$/;
        await page.goto(chatOf(milena));
        await expect(page.getByRole('status', { name: 'Loading messages' })).toBeVisible();
        await look(page, 'loading-messages');
      });

      test('what cannot be had', async ({ page, context }) => {
        const backend = await open(page, '/', (server) => {
          furnish(server);
          server.broken = /conversations$/;
        });
        await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
        await look(page, 'failed-list');
        backend.broken = /messages$/;
        await page.goto(chatOf(milena));
        await expect(page.getByRole('button', { name: 'Try again' })).toBeVisible();
        await look(page, 'failed-messages');
        backend.broken = null;
        await page.goto(`${ORIGIN}/c/unknown`);
        await expect(page.getByText('There is no such conversation')).toBeVisible();
        await look(page, 'unknown');
        await page.goto(chatOf(milena));
        await expect(page.getByTestId('message').first()).toBeVisible();
        await context.setOffline(true);
        backend.up = false;
        await backend.drop();
        await expect(page.getByTestId('connection-banner')).toContainText('offline');
        await page.getByLabel(/^Message to/).fill('Kept until I am back');
        await page.keyboard.press('Enter');
        await expect(page.getByTestId('message').filter({ hasText: 'Kept until' })).toBeVisible();
        await look(page, 'offline');
      });

      test('a server that cannot be reached, and nothing kept from before', async ({ page }) => {
        await open(page, '/', (server) => {
          server.up = false;
        });
        await expect(page.getByText('The server cannot be reached')).toBeVisible();
        await look(page, 'unreachable');
      });

      test('long names, long words, Chinese, right to left', async ({ page }) => {
        await open(page, `/c/${idOf(layla)}`, (server) => {
          furnish(server);
          scripts(server);
        });
        await expect(page.getByTestId('message').first()).toBeVisible();
        await page.getByLabel(/^Message to/).fill('سأكون هناك في الثالثة (إن شاء الله)');
        await look(page, 'right-to-left');
        await page.goto(chatOf(long));
        await expect(page.getByTestId('message').first()).toBeVisible();
        await look(page, 'long');
        await page.goto(chatOf(mei));
        await expect(page.getByTestId('message').first()).toBeVisible();
        await page.getByLabel(/^Message to/).fill('好的，明天见');
        await look(page, 'chinese');
      });

      test('one is logged out, and asked before anything is lost', async ({ page }) => {
        const backend = await open(page, `/c/${idOf(milena)}`, furnish);
        backend.answer = 'silence';
        await page.getByLabel(/^Message to/).fill('Not sent yet');
        await page.keyboard.press('Enter');
        await page.keyboard.press('Control+,');
        await page.getByRole('button', { name: 'Log out', exact: true }).click();
        await expect(page.getByRole('dialog')).toBeVisible();
        await look(page, 'log-out');
        await page.keyboard.press('Escape');
        await backend.drop(4500);
        await expect(page.getByText('Your session has ended')).toBeVisible();
        await look(page, 'login-ended');
      });

      test('up in the history, and something new below', async ({ page }) => {
        const backend = await open(page, `/c/${idOf(milena)}`, (server) => {
          furnish(server);
          for (let i = 0; i < 12; i += 1)
            server.add(milena, milena, `And another thing, number ${i + 1}.`, new Date());
          server.read(milena);
        });
        await expect(page.getByText('number 12.').last()).toBeInViewport();
        await page.getByRole('log').hover();
        await page.mouse.wheel(0, -600);
        await expect(page.getByRole('button', { name: 'Newest' })).toBeVisible();
        backend.deliver(milena, 'Are you still there?');
        backend.deliver(milena, '🕊️');
        await expect(page.getByRole('button', { name: '2 new' })).toBeVisible();
        await look(page, 'new-below');
      });
    });
