// What a checker can tell about accessibility: every view, both themes.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { chatOf, formatted, furnish, max, me, milena } from '../fake/people';

async function problems(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, any }) => `${impact ?? ''} ${id}: ${html.slice(0, 160)} ${any[0]?.message ?? ''}`),
  );
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('signing in and up', async ({ page }) => {
      await new FakeBackend(null).attach(page);
      await page.goto(`${ORIGIN}/login`);
      await page.getByLabel('Username').fill('franz');
      expect(await problems(page)).toEqual([]);
      await page.goto(`${ORIGIN}/register`);
      await page.getByLabel('Username').fill('f');
      expect(await problems(page)).toEqual([]);
    });

    test('conversations and messages', async ({ page }) => {
      const backend = new FakeBackend(me);
      furnish(backend);
      backend.answer = { code: 'not_wanted', message: 'away', temporary: false };
      await backend.attach(page);
      await page.goto(`${ORIGIN}/`);
      await expect(page.getByRole('link', { name: /Milena/ })).toBeVisible();
      expect(await problems(page)).toEqual([]);
      await page.goto(chatOf(milena));
      await page.getByLabel('Message to Milena').fill('refused');
      await page.keyboard.press('Enter');
      await expect(page.getByRole('button', { name: 'Retry' })).toBeVisible();
      backend.up = false;
      await backend.drop();
      await expect(page.getByTestId('connection-banner')).toBeVisible();
      expect(await problems(page)).toEqual([]);
      await page.getByLabel('Your menu').click();
      expect(await problems(page)).toEqual([]);
    });

    test('formatted messages, actions and emoji', async ({ page }) => {
      const backend = new FakeBackend(me);
      furnish(backend);
      formatted(backend);
      await backend.attach(page);
      await page.goto(chatOf(max));
      await expect(page.locator('[data-kind=keyword]').first()).toBeVisible();
      await page.getByTestId('message').filter({ hasText: 'burn nothing' }).focus();
      await expect(page.getByRole('button', { name: 'Copy link' })).toBeVisible();
      expect(await problems(page)).toEqual([]);
      await page.getByLabel('Message to Max').pressSequentially(':heart');
      await expect(page.getByRole('listbox', { name: 'Emoji' })).toBeVisible();
      expect(await problems(page)).toEqual([]);
      await page.getByRole('button', { name: 'Emoji' }).click();
      await expect(page.getByRole('option').first()).toBeVisible();
      expect(await problems(page)).toEqual([]);
    });

    test('searching, and a first letter', async ({ page }) => {
      const backend = new FakeBackend(me);
      backend.people = [milena];
      await backend.attach(page);
      await page.goto(`${ORIGIN}/u/${milena.id}`);
      await page.getByLabel('Find people').fill('mil');
      await expect(
        page.getByRole('listbox', { name: 'Search results' }).getByRole('option').first(),
      ).toBeVisible();
      expect(await problems(page)).toEqual([]);
    });
  });
}
