// Who is here and who writes, with the real program: two people, each with a browser of their own.
import { expect, test } from '@playwright/test';
import type { Locator } from '@playwright/test';

import { looks } from './fake/look';
import { MilenaServer } from './real/milena-server';
import { PersonAtBrowser } from './real/person';

const MINUTE_MS = 60_000;

test.describe.configure({ mode: 'serial' });

const server = new MilenaServer();
let anna: PersonAtBrowser;
let ben: PersonAtBrowser;

const mark = (of: Locator) => of.getByTestId('availability');
const standing = ({ page }: PersonAtBrowser) => page.getByTestId('standing');
const line = ({ page }: PersonAtBrowser) => page.getByTestId('typing').locator('p');
const composer = ({ page }: PersonAtBrowser) => page.getByRole('textbox', { name: /^Message to/ });

test.beforeAll(async ({ browser }) => {
  await server.start();
  anna = await PersonAtBrowser.open(browser, server.url, 'Anna Karenina');
  ben = await PersonAtBrowser.open(browser, server.url, 'Ben 本');
  await ben.page.clock.install();
  await anna.register('anna');
  await ben.register('ben');
});
test.afterAll(async () => {
  await anna.context.close();
  await ben.context.close();
  await server.dispose();
});

test('each sees that the other one is here', async () => {
  await anna.find('ben', 'Ben 本');
  await anna.send('Are you here?');
  await expect(standing(anna)).toHaveText('online');
  await expect(mark(anna.row('Ben 本'))).toHaveAttribute('data-availability', 'online');
  await expect(mark(ben.row('Anna Karenina'))).toHaveAttribute('data-availability', 'online');
  await ben.row('Anna Karenina').click();
  await expect(standing(ben)).toHaveText('online');
});

test('one sees that the other one writes, has changed their mind, and has written', async () => {
  await composer(ben).pressSequentially('I am');
  await expect(line(anna)).toHaveText('Ben 本 is writing');
  await composer(ben).fill('');
  await expect(line(anna)).toHaveCount(0);
  // The server tells it every three seconds at most.
  await expect(async () => {
    await composer(ben).pressSequentially('!');
    await expect(line(anna)).toHaveText('Ben 本 is writing', { timeout: 500 });
  }).toPass();
  await composer(ben).fill('Here I am');
  await ben.page.keyboard.press('Enter');
  await expect(anna.bubble('Here I am')).toBeVisible();
  await expect(line(anna)).toHaveCount(0);
});

test('who does not touch their page is away, and back with the next touch', async () => {
  await ben.page.mouse.move(400, 400);
  await ben.page.clock.fastForward(5 * MINUTE_MS + 1_000);
  await expect(standing(anna)).toHaveText('away');
  await expect(mark(anna.row('Ben 本'))).toHaveAttribute('data-availability', 'away');
  await looks(anna.page, 'presence-story');
  await ben.page.mouse.move(420, 400);
  await expect(standing(anna)).toHaveText('online');
});

test('one tick where it was sent, two where it came to a device, in colour where it was read', async () => {
  const tick = (text: string) => anna.bubble(text).getByRole('img');
  await ben.page.goto('about:blank');
  await anna.send('One');
  await expect(tick('One')).toHaveAccessibleName('Sent');
  await ben.page.goto('/settings');
  await expect(tick('One')).toHaveAccessibleName('Delivered');
  await anna.send('Two');
  await expect(tick('Two')).toHaveAccessibleName('Delivered');
  await looks(anna.page, 'ticks');
  await ben.row('Anna Karenina').click();
  await expect(tick('One')).toHaveAccessibleName('Read');
  await expect(tick('Two')).toHaveAccessibleName('Read');
});

test('what one says of oneself is seen by others, until it is taken back', async () => {
  const { page } = anna;
  await page.getByLabel('Your menu').click();
  await page.getByRole('button', { name: 'Set a status' }).click();
  const dialog = page.getByRole('dialog', { name: 'Your status' });
  await expect(dialog.getByLabel('Emoji')).toBeFocused();
  await expect(dialog.getByRole('button', { name: 'Save' })).toBeDisabled();
  await dialog.getByRole('button', { name: 'On holiday' }).click();
  await dialog.getByLabel('What others see').fill('In Merano');
  await dialog.getByLabel('Until').selectOption('The end of this week');
  await looks(page, 'status-dialog');
  await dialog.getByLabel('What others see').press('Enter');
  await expect(dialog).toHaveCount(0);
  await expect(ben.page.getByTestId('status').filter({ hasText: '🌴 In Merano' })).toBeVisible();
  await expect(ben.row('Anna Karenina').getByRole('img', { name: 'In Merano' })).toBeVisible();
  await looks(ben.page, 'status');
  await page.getByLabel('Your menu').click();
  await page.getByRole('button', { name: '🌴 In Merano' }).click();
  await dialog.getByLabel('Emoji').fill('two of them');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByRole('alert')).toContainText('emoji');
  await dialog.getByRole('button', { name: 'Clear' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(ben.page.getByTestId('status')).toHaveCount(0);
});
