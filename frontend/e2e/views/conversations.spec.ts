// Which conversation an address means, who is in it, and what is told of what the page does not know.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { look } from '../fake/look';
import { chatOf, furnish, idOf, max, me, milena, minutesAgo, ottla } from '../fake/people';

async function open(page: Page, url: string, bend?: (backend: FakeBackend) => void): Promise<FakeBackend> {
  const backend = new FakeBackend(me);
  furnish(backend);
  bend?.(backend);
  await backend.attach(page);
  await page.goto(url);
  return backend;
}

const bubble = (page: Page, text: string) => page.getByTestId('message').filter({ hasText: text });

test('the address of a person finds what was written with them, however far down the list', async ({
  page,
}) => {
  await open(page, `${ORIGIN}/u/${max.id}`, (backend) => {
    // Max was written to first: he is on the last page of the list.
    backend.threads.reverse();
    backend.listed = 2;
  });
  await expect(bubble(page, 'Did you burn it')).toBeVisible();
  await expect(page).toHaveURL(chatOf(max));
});

test('it says so when that cannot be asked, takes what is written, and finds it later', async ({ page }) => {
  const backend = await open(page, `${ORIGIN}/u/${max.id}`, (server) => {
    server.threads.reverse();
    server.listed = 2;
    server.broken = new RegExp(`conversations/${idOf(max)}`);
  });
  await expect(page.getByText('The messages could not be loaded')).toBeVisible();
  await page.getByLabel('Message to Max Brod').fill('half a letter');
  backend.broken = null;
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(bubble(page, 'Did you burn it')).toBeVisible();
  await expect(page).toHaveURL(chatOf(max));
  await expect(page.getByLabel('Message to Max Brod')).toHaveValue('half a letter');
});

test('a first letter has its place before and after it is sent', async ({ page }) => {
  const backend = await open(page, `${ORIGIN}/u/${ottla.id}`, (server) => {
    server.threads = server.threads.filter(({ conversation }) => conversation.person?.id !== ottla.id);
    server.answer = 'silence';
  });
  await expect(page.getByText('Write the first letter to Ottla')).toBeVisible();
  await page.getByLabel('Message to Ottla').fill('Dear Ottla');
  await page.keyboard.press('Enter');
  await expect(bubble(page, 'Dear Ottla')).toHaveAttribute('data-state', 'sending');
  backend.answer = 'accept';
  await page.reload();
  await expect(bubble(page, 'Dear Ottla')).toHaveAttribute('data-state', 'accepted');
  await expect(page).toHaveURL(chatOf(ottla));
  expect(new Set(backend.sends.map(({ client_id, to }) => `${client_id} ${to}`)).size).toBe(1);
});

test('whose name can be taken for another one’s is announced with the username', async ({ page }) => {
  const twin = {
    ...ottla,
    id: milena.id.replace(/.$/, 'f'),
    username: 'milena2',
    display_name: 'Milena Jesenska',
  };
  const backend = await open(page, chatOf(milena), (server) => {
    server.people.push(twin);
    server.add(twin, twin, 'it is me', minutesAgo(5));
  });
  await expect(bubble(page, 'See you at the station')).toBeVisible();
  await expect(page.getByRole('link', { name: 'it is me' })).toContainText('@milena2');
  backend.deliver(milena, 'who is that?');
  await expect(page.locator('[aria-live="polite"]').filter({ hasText: 'who is that?' })).toHaveText(
    'Milena Jesenská @milena: who is that?',
  );
});

for (const width of [1280, 390]) {
  for (const theme of ['light', 'dark'] as const) {
    test(`what the page does not know yet is a quiet line, ${theme} at ${width}`, async ({ page }) => {
      await page.setViewportSize({ width, height: 800 });
      await page.emulateMedia({ colorScheme: theme });
      const backend = await open(page, chatOf(milena));
      await expect(bubble(page, 'See you at the station')).toBeVisible();
      const known = backend.add(milena, milena, '', new Date());
      const { body: _, to: __, ...unknown } = known;
      Object.assign(known, { ...unknown, kind: 'poll' });
      backend.emit({ type: 'message', ...unknown, kind: 'poll' });
      backend.emit({ type: 'gap', conversation: 'a room', after: 3, before: null });
      await expect(page.getByTestId('quiet-line')).toHaveText(/^Something that this page cannot show yet/);
      backend.deliver(milena, 'and on we go');
      await expect(bubble(page, 'and on we go')).toBeInViewport();
      await look(page, 'unknown-kind');
    });
  }
}

test('a conversation of a kind that the page does not know is in the list, and opens', async ({ page }) => {
  await open(page, ORIGIN, (server) => {
    const { conversation } = server.thread(max);
    Object.assign(conversation, { id: 'circle', kind: 'circle', person: undefined });
  });
  await page.getByRole('link', { name: /^Room .*Did you burn it/ }).click();
  await expect(page.getByRole('heading', { name: 'Room' })).toBeVisible();
  await expect(bubble(page, 'Did you burn it')).toBeVisible();
});
