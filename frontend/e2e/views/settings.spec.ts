// The settings, and what they change: in both themes and widths, by keyboard, with what goes wrong.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { chatOf, furnish, idOf, me, milena, ottla, sessions } from '../fake/people';

async function open(page: Page, path = '/settings'): Promise<FakeBackend> {
  const backend = new FakeBackend({ ...me });
  furnish(backend);
  backend.sessions = sessions();
  await backend.attach(page);
  await page.goto(`${ORIGIN}${path}`);
  const ready =
    path === '/settings' ? page.getByText('Log out everywhere else') : page.getByLabel('Your menu');
  await expect(ready).toBeVisible();
  return backend;
}

async function clean(page: Page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
}

for (const colorScheme of ['light', 'dark'] as const)
  for (const width of [1280, 390])
    test.describe(`${colorScheme}, ${width}`, () => {
      test.use({ colorScheme, viewport: { width, height: 800 } });

      test('every state looks right and nothing is wrong for a checker', async ({ page }) => {
        const shot = (name: string) =>
          page.screenshot({
            path: `test-results/screens/${name}-${width}-${colorScheme}.png`,
            animations: 'disabled',
          });
        const backend = await open(page);
        await expect(page.getByText('Chrome on Android')).toBeAttached();
        await shot('settings');
        await clean(page);
        await page.getByLabel('Current password').fill('wrong horse');
        await page.getByLabel('New password').fill('short');
        await expect(page.getByText('3 more to go.')).toBeVisible();
        await page.getByLabel('New password').fill('long enough');
        await page.getByRole('button', { name: 'Change password' }).click();
        await expect(page.getByText('This is not your current password.')).toBeVisible();
        await shot('settings-password');
        await page.getByRole('button', { name: 'Log out everywhere else' }).scrollIntoViewIfNeeded();
        await shot('settings-sessions');
        await clean(page);
        backend.up = false;
        await page.getByLabel('Name', { exact: true }).fill('Franz K.');
        await page.getByRole('button', { name: 'Save name' }).click();
        await expect(page.getByText('The server cannot be reached.')).toBeVisible();
        await shot('settings-offline');
        await page.locator('body').click({ position: { x: 5, y: 5 } });
        await page.keyboard.press('Control+/');
        await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
        await shot('shortcuts');
        await clean(page);
      });

      test('the doors', async ({ page }) => {
        const shot = (name: string) =>
          page.screenshot({
            path: `test-results/screens/${name}-${width}-${colorScheme}.png`,
            animations: 'disabled',
          });
        await new FakeBackend(null).attach(page);
        await page.goto(`${ORIGIN}/register`);
        await page.getByLabel('Username').fill('fr');
        await page.getByLabel('Password', { exact: true }).fill('kafka');
        await page.getByRole('button', { name: 'Show password' }).click();
        await expect(page.getByText('3 more to go.')).toBeVisible();
        await expect(page.getByRole('button', { name: 'Create account' })).toBeDisabled();
        await shot('register');
        await page.goto(`${ORIGIN}/login`);
        await page.getByLabel('Username').fill('franz');
        await page.getByLabel('Password', { exact: true }).fill('wrong horse');
        await page.getByRole('button', { name: 'Log in' }).click();
        await expect(page.getByRole('alert')).toHaveText('Unknown username or wrong password.');
        await shot('login-refused');
        await clean(page);
      });
    });

test('a new name is everywhere on the page, and in the other tab', async ({ page, context }) => {
  const backend = await open(page);
  const other = await context.newPage();
  await backend.attach(other);
  await other.goto(`${ORIGIN}/settings`);
  await expect(other.getByText('@franz', { exact: true }).first()).toBeVisible();
  await page.getByLabel('Name', { exact: true }).fill('   ');
  await expect(page.getByRole('button', { name: 'Save name' })).toBeDisabled();
  await page.getByLabel('Name', { exact: true }).fill('  Franz Kafka ');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Saved.')).toBeVisible();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Franz Kafka');
  for (const tab of [page, other]) {
    await tab.getByLabel('Your menu').click();
    await expect(tab.locator('strong', { hasText: 'Franz Kafka' }).first()).toBeVisible();
  }
});

test('sessions are ended one by one, and all others at once', async ({ page }) => {
  const backend = await open(page);
  const list = page.getByRole('list', { name: 'Sessions' });
  await expect(list.getByRole('listitem')).toHaveCount(4);
  await expect(list.getByRole('listitem').first()).toContainText('This device');
  await page.getByRole('button', { name: 'Log out curl' }).click();
  await expect(list.getByRole('listitem')).toHaveCount(3);
  await page.getByRole('button', { name: 'Log out everywhere else' }).click();
  await expect(list.getByRole('listitem')).toHaveCount(1);
  await expect(page.getByText('You are logged in nowhere else.')).toBeVisible();
  expect(backend.sessions.map(({ id }) => id)).toEqual(['here']);
});

test('a changed password says what became of the other sessions', async ({ page }) => {
  await open(page);
  await page.getByLabel('Current password').fill('correct horse');
  await page.getByLabel('New password').fill('correct horse');
  await expect(page.getByText('This is the password that you have.')).toBeVisible();
  await page.getByLabel('New password').fill('abababab');
  await expect(page.getByText('At least 4 different characters.')).toBeVisible();
  const refusal = {
    code: 'invalid_field',
    field: 'new_password',
    detail: 'new_password is one that anybody would try',
  };
  await page.route(
    '**/api/v1/me/password',
    (route) => route.fulfill({ status: 400, json: { ...refusal, status: 400 } }),
    { times: 1 },
  );
  await page.getByLabel('New password').fill('password');
  await page.keyboard.press('Enter');
  await expect(page.getByText('The new password is one that anybody would try.')).toBeVisible();
  await page.getByLabel('New password').fill('battery staple');
  await page.keyboard.press('Enter');
  await expect(page.getByText('Your other sessions were logged out.')).toBeVisible();
  await expect(page.getByLabel('Current password')).toHaveValue('');
  await expect(page.getByRole('list', { name: 'Sessions' }).getByRole('listitem')).toHaveCount(1);
});

test('everything by keyboard: menu, settings, shortcuts, and the focus comes back', async ({ page }) => {
  await open(page, '/');
  await expect(page.getByRole('link', { name: milena.display_name })).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Skip to the conversation' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();
  await page.keyboard.press('Alt+ArrowDown');
  await expect(page).toHaveURL(chatOf(milena));
  // In the composer `?` is a question mark.
  await expect(page.getByRole('textbox', { name: /^Message to/ })).toBeFocused();
  await page.keyboard.press('?');
  await expect(page.getByRole('textbox', { name: /^Message to/ })).toHaveValue('?');
  await page.keyboard.press('Control+/');
  const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('textbox', { name: /^Message to/ })).toBeFocused();
  await page.keyboard.press('Alt+ArrowDown');
  await expect(page).toHaveURL(chatOf(ottla));
  await page.keyboard.press('Control+,');
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  await page.getByLabel('Your menu').click();
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByLabel('Your menu')).toBeFocused();
});

test('a deep link survives the way through the doors', async ({ page }) => {
  const backend = new FakeBackend(null);
  await backend.attach(page);
  await page.goto(chatOf(milena));
  await page.getByRole('link', { name: 'Create an account' }).click();
  await expect(page).toHaveURL(`${ORIGIN}/register?next=%2Fc%2F${idOf(milena)}`);
  await page.reload();
  await page.getByLabel('Username').fill('franz');
  await page.getByLabel('Password', { exact: true }).fill('correct horse');
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page).toHaveURL(chatOf(milena));
  // And never leads away from here.
  backend.me = null;
  await page.goto(`${ORIGIN}/login?next=//evil.example/`);
  await page.getByLabel('Username').fill('franz');
  await page.getByLabel('Password', { exact: true }).fill('correct horse');
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page).toHaveURL(`${ORIGIN}/`);
});
