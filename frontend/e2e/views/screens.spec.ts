// Every view in both themes and two widths, as pictures to look at (test-results/screens). What a program can
// judge is judged: the security policy holds, nothing is wider than the screen, nothing is said on the
// console.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { look } from '../fake/look';
import { chatOf, formatted, furnish, max, me, milena, ottla } from '../fake/people';

const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 844 } };

for (const theme of ['light', 'dark'] as const) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    test.describe(`${theme} ${size}`, () => {
      test.use({ viewport, colorScheme: theme });
      let page: Page;
      let complaints: string[];
      const shot = (name: string) => look(page, name);

      test.beforeEach(({ page: fresh }) => {
        page = fresh;
        complaints = [];
        page.on('console', (message) => {
          if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
        });
        page.on('pageerror', (error) => complaints.push(error.message));
      });
      test.afterEach(() => {
        // A refused request is logged by the browser itself, and workers are blocked here.
        const expected = /^(Failed to load resource|Service Worker registration blocked)/;
        expect(complaints.filter((text) => !expected.test(text))).toEqual([]);
      });

      test('sign in and up', async () => {
        const backend = new FakeBackend(null);
        await backend.attach(page);
        await page.goto(`${ORIGIN}/`);
        await page.getByLabel('Username').fill('franz');
        await page.getByLabel('Password', { exact: true }).fill('wrong');
        await page.getByRole('button', { name: 'Log in' }).click();
        await expect(page.getByRole('alert')).toHaveText('Unknown username or wrong password.');
        await shot('login');
        await page.getByRole('link', { name: 'Create an account' }).click();
        await page.getByLabel('Username').fill('franz k');
        await page.getByLabel('Password', { exact: true }).fill('12345');
        await shot('register');
      });

      test('conversations', async () => {
        const backend = new FakeBackend(me);
        await backend.attach(page);
        await page.goto(`${ORIGIN}/`);
        await expect(page.getByText('No letters yet')).toBeVisible();
        await shot('empty');
        furnish(backend);
        await page.reload();
        await expect(page.getByRole('link', { name: /Milena/ })).toBeVisible();
        await shot('list');
        await page.getByLabel('Your menu').click();
        await shot('menu');
        await page.keyboard.press('Escape');
        await page.getByLabel('Find people').fill('a');
        await expect(
          page.getByRole('listbox', { name: 'Search results' }).getByRole('option').first(),
        ).toBeVisible();
        await shot('search');
        await page.getByLabel('Find people').fill('nobody');
        await expect(page.getByText('Nobody is called')).toBeVisible();
      });

      test('a conversation', async () => {
        const backend = new FakeBackend(me);
        furnish(backend);
        await backend.attach(page);
        await page.goto(chatOf(milena));
        await expect(page.getByTestId('unread-divider')).toBeInViewport();
        await page.getByLabel('Message to Milena').fill('One with');
        await shot('chat');
        await page.getByLabel('Message to Milena').fill('On my way');
        await page.keyboard.press('Enter');
        backend.answer = {
          code: 'rejected_by_rule',
          message: 'the recipient takes no messages',
          temporary: false,
        };
        await expect(page.getByRole('img', { name: 'Sending' })).toHaveCount(0);
        await page.keyboard.type('And this one is refused for good');
        await page.keyboard.press('Enter');
        await expect(page.getByRole('button', { name: 'Retry' })).toBeVisible();
        backend.answer = { code: 'log_unavailable', message: 'log', temporary: true };
        await page.keyboard.type('And this one has to wait');
        await page.keyboard.press('Enter');
        await expect(page.getByRole('button', { name: 'Retry now' })).toBeVisible();
        await shot('chat-failed');
        backend.up = false;
        await backend.drop();
        await expect(page.getByTestId('connection-banner')).toBeVisible();
        await shot('chat-disconnected');
      });

      test('formatted messages, and emoji to choose from', async () => {
        const backend = new FakeBackend(me);
        furnish(backend);
        formatted(backend);
        await backend.attach(page);
        await page.goto(chatOf(max));
        await expect(page.locator('[data-kind=keyword]').first()).toBeVisible();
        await page.getByTestId('message').filter({ hasText: 'burn nothing' }).hover();
        await page.getByLabel('Message to Max').fill('Then :hea');
        await page.getByLabel('Message to Max').press('r');
        await expect(page.getByRole('listbox', { name: 'Emoji' })).toBeVisible();
        await shot('chat-formatted');
        await page.getByRole('button', { name: 'Emoji' }).click();
        await expect(page.getByRole('option').first()).toBeVisible();
        await shot('chat-emoji');
      });

      test('the first letter, and nobody', async () => {
        const backend = new FakeBackend(me);
        backend.people = [milena, ottla];
        await backend.attach(page);
        await page.goto(`${ORIGIN}/u/${milena.id}`);
        await expect(page.getByText('Write the first letter')).toBeVisible();
        await shot('first');
        await page.goto(`${ORIGIN}/c/unknown`);
        await expect(page.getByText('There is no such conversation')).toBeVisible();
      });
    });
  }
}
