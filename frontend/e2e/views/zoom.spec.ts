// Large letters and small windows: 200 % zoom of the page, 200 % text, and a window of 320 px (WCAG 1.4.4 and
// 1.4.10). Everything that one does in a day works, nothing is cut off, covered, or reached by scrolling
// sideways only.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { collisions, cutTexts, excessWidth } from '../fake/layout';
import { furnish, me, sessions } from '../fake/people';

const SIZES = [
  { name: 'a page at 200 %', width: 640, height: 400, scale: 2, rootPercent: 100 },
  { name: 'a page at 400 %', width: 320, height: 256, scale: 4, rootPercent: 100 },
  { name: 'a window of 320 px', width: 320, height: 640, scale: 1, rootPercent: 100 },
  { name: 'text of 200 %, two panes', width: 1280, height: 800, scale: 1, rootPercent: 200 },
  { name: 'text of 200 % on a phone', width: 390, height: 844, scale: 1, rootPercent: 200 },
];

const PARTS = {
  chat: ['main header', '[role=log]', 'main form', '[data-testid=connection-banner]'],
  settings: ['main header', 'main header + div'],
};

for (const { name, width, height, scale, rootPercent } of SIZES)
  test.describe(name, () => {
    test.use({ viewport: { width, height }, deviceScaleFactor: scale });

    test('log in, read, write, change a setting, and go back', async ({ page }) => {
      const backend = new FakeBackend(null);
      await backend.attach(page);
      await page.goto(`${ORIGIN}/login`);
      await page.evaluate(
        (percent) => (document.documentElement.style.fontSize = `${percent}%`),
        rootPercent,
      );

      await inOrder(page, 'log in', []);
      await page.getByLabel('Username').fill('franz');
      await page.getByLabel('Password', { exact: true }).fill('correct horse');
      backend.me = { ...me };
      furnish(backend);
      backend.sessions = sessions();
      await page.getByRole('button', { name: 'Log in' }).click();

      await expect(page.getByRole('link', { name: /Milena/ })).toBeVisible();
      await inOrder(page, 'the list', []);
      await page.getByRole('link', { name: /Milena/ }).click();
      await expect(page.getByTestId('unread-divider')).toBeInViewport();
      await inOrder(page, 'a conversation', PARTS.chat);

      const writing = page.getByRole('textbox', { name: /^Message to/ });
      await writing.fill('Large enough to read');
      await expect(page.getByRole('button', { name: 'Send' })).toBeInViewport({ ratio: 1 });
      await page.getByRole('button', { name: 'Send' }).click();
      const sent = page.getByTestId('message').filter({ hasText: 'Large enough' });
      await expect(sent).toHaveAttribute('data-state', 'accepted');
      await expect(sent).toBeInViewport();
      await writing.fill('Many\nlines\nof\ntext\nas\nin\na\nreal\nletter');
      await inOrder(page, 'a long draft', PARTS.chat);
      expect((await page.getByRole('log').boundingBox())?.height).toBeGreaterThan(height / 6);

      backend.up = false;
      await backend.drop();
      await expect(page.getByTestId('connection-banner')).toBeVisible();
      await inOrder(page, 'without a connection', PARTS.chat);
      backend.up = true;
      await page.getByRole('button', { name: 'Try now' }).click();
      await expect(page.getByTestId('connection-banner')).toHaveCount(0);

      await toMenu(page);
      await inOrder(page, 'the menu', []);
      await page.getByRole('button', { name: 'Settings' }).click();
      await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
      await inOrder(page, 'settings', PARTS.settings);
      await page.getByText('Log out everywhere else').scrollIntoViewIfNeeded();
      await inOrder(page, 'sessions', PARTS.settings);
      await page.getByText('A sound for new messages').click();
      await expect(page.getByRole('switch', { name: 'A sound' })).toBeChecked();
      await page.keyboard.press('Control+/');
      await expect(page.getByRole('dialog')).toBeVisible();
      await inOrder(page, 'the list of shortcuts', ['dialog']);
      await page.getByRole('button', { name: 'Close' }).click();

      if (await page.getByRole('link', { name: 'Back to conversations' }).isVisible())
        await page.getByRole('link', { name: 'Back to conversations' }).click();
      await page.getByRole('link', { name: /Milena/ }).click();
      await expect(page.getByRole('textbox', { name: /^Message to/ })).toHaveValue(/real\nletter$/);
    });
  });

/** The menu stands beside the list, which a narrow screen shows after going back. */
async function toMenu(page: Page): Promise<void> {
  const menu = page.getByLabel('Your menu');
  if (!(await menu.isVisible())) await page.getByRole('link', { name: 'Back to conversations' }).click();
  await menu.click();
}

async function inOrder(page: Page, where: string, parts: string[]): Promise<void> {
  await page.screenshot({
    path: `test-results/screens/zoom/${test.info().titlePath[1] ?? ''}, ${where}.png`,
    animations: 'disabled',
  });
  expect.soft(await excessWidth(page), `${where}: scrolls sideways`).toBeLessThanOrEqual(0);
  expect.soft(await cutTexts(page), `${where}: cut off`).toEqual([]);
  expect.soft(await collisions(page, parts), `${where}: lies over each other`).toEqual([]);
}
