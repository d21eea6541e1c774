// What one is told of: chosen for a conversation and in all, shown where it counts, live from other devices.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { looks } from '../fake/look';
import { chatOf, furnish, idOf, max, me, mei, milena, ottla } from '../fake/people';

async function open(page: Page, path: string): Promise<FakeBackend> {
  const backend = new FakeBackend({ ...me });
  furnish(backend);
  backend.room('Tram friends', [milena, max, ottla]);
  await backend.attach(page);
  await page.goto(path);
  await expect(page.getByLabel(/^Your menu/)).toBeAttached();
  return backend;
}

const row = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Conversations' }).getByRole('link', { name });
const sheet = (page: Page) => page.getByRole('dialog', { name: 'Notifications' });

test('a conversation is muted from its bell, and turned on again', async ({ page }) => {
  test.slow();
  const backend = await open(page, chatOf(mei));
  await page.getByRole('button', { name: 'Notifications', exact: true }).click();
  await expect(sheet(page).getByRole('radio', { name: 'As with other people' })).toBeChecked();
  await looks(page, 'tell-sheet');
  await sheet(page).getByRole('button', { name: 'For 1 hour' }).click();
  await expect(sheet(page).getByText(/^Muted until \d\d:\d\d\.|^Muted until /)).toBeVisible();
  const { muted_until } = backend.tell.of.get(idOf(mei)) ?? {};
  expect(Date.parse(muted_until ?? '') - Date.now()).toBeGreaterThan(3_500_000);
  await sheet(page).getByRole('button', { name: 'Turn it on' }).click();
  await sheet(page).getByRole('button', { name: 'Until I turn it on' }).click();
  await expect(sheet(page).getByText('Muted until you turn it on.')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Notifications: muted' })).toBeFocused();
});

test('what is muted waits in grey, and is not among the unread', async ({ page }) => {
  test.slow();
  const backend = await open(page, chatOf(milena));
  backend.tell.choose(idOf(mei), { muted: true });
  backend.deliver(mei, 'Are you there?');
  await expect(row(page, mei.display_name)).toContainText('unread, muted');
  await page.getByText('Unread', { exact: true }).click();
  await expect(row(page, 'ليلى')).toBeVisible();
  await expect(row(page, mei.display_name)).toHaveCount(0);
  await page.getByText('All', { exact: true }).click();
  await looks(page, 'tell-muted');
  backend.tell.choose(idOf(mei), {});
  await expect(row(page, mei.display_name)).not.toContainText('muted');
});

test('a room has a level of its own, and what calls everybody can be ignored', async ({ page }) => {
  const backend = await open(page, ORIGIN);
  const id = backend.threads.at(-1)!.conversation.id;
  backend.add(backend.threads.at(-1)!, max, 'Which platform?', new Date());
  await page.goto(`${ORIGIN}/c/${id}`);
  await page.getByRole('button', { name: 'Notifications', exact: true }).click();
  await expect(sheet(page).getByText('Mentions, as you have it in the settings.')).toBeVisible();
  await sheet(page).getByRole('radio', { name: 'Nothing' }).check();
  await expect.poll(() => backend.tell.of.get(id)?.level).toBe('nothing');
  await sheet(page).getByRole('switch', { name: 'Ignore @everyone' }).click();
  await expect.poll(() => backend.tell.of.get(id)?.ignore_everyone).toBe(true);
  expect(backend.tell.of.get(id)?.level).toBe('nothing');
  backend.broken = /notifications$/;
  await sheet(page).getByRole('radio', { name: 'All messages' }).click();
  await expect(sheet(page).getByRole('alert')).toBeVisible();
  await expect(sheet(page).getByRole('radio', { name: 'Nothing' })).toBeChecked();
});

test('in the settings: levels, keywords, and when one is not to be disturbed', async ({ page }) => {
  test.slow();
  const backend = await open(page, `${ORIGIN}/settings`);
  const told = page.getByRole('region', { name: 'What I am told of' });
  await told.getByRole('group', { name: 'In rooms' }).getByRole('radio', { name: 'All messages' }).check();
  await expect.poll(() => backend.tell.general.rooms).toBe('all');
  const words = told.getByRole('textbox', { name: 'Keywords' });
  await words.fill('tram');
  await page.keyboard.press('Enter');
  await expect(told.getByRole('button', { name: 'Leave out tram' })).toBeVisible();
  await expect(words).toHaveValue('');
  await words.fill('TRAM');
  await expect(told.getByText('You have this one already.')).toBeVisible();
  await words.fill('on call');
  await told.getByRole('button', { name: 'Add' }).click();
  await expect.poll(() => backend.tell.general.keywords).toEqual(['tram', 'on call']);
  await told.getByRole('button', { name: 'Leave out tram' }).click();
  await expect.poll(() => backend.tell.general.keywords).toEqual(['on call']);
  const quiet = page.getByRole('region', { name: 'Do not disturb' });
  await quiet.getByRole('button', { name: 'For 1 hour' }).click();
  await expect(quiet.getByText('You are not disturbed now.')).toBeVisible();
  await quiet.getByRole('button', { name: 'End it now' }).click();
  await expect.poll(() => backend.tell.general.dnd_until).toBeNull();
  await quiet.getByRole('switch', { name: 'Every week at the same times' }).click();
  await expect.poll(() => backend.tell.general.dnd_schedule?.time_zone).toBe('Europe/Prague');
  await quiet.getByTitle('Saturday').click();
  await quiet.getByLabel('From').fill('21:30');
  await expect
    .poll(() => backend.tell.general.dnd_schedule?.windows)
    .toEqual([{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sun'], from: '21:30', to: '07:00' }]);
  await quiet.getByLabel('From').fill('07:00');
  await expect(quiet.getByText('It has to begin and end at different times.')).toBeVisible();
  await quiet.getByLabel('From').fill('22:00');
  await told.scrollIntoViewIfNeeded();
  await looks(page, 'tell-settings');
  await quiet.scrollIntoViewIfNeeded();
  await looks(page, 'tell-quiet');
  await quiet.getByRole('button', { name: 'Remove time 1' }).click();
  await expect.poll(() => backend.tell.general.dnd_schedule).toBeNull();
});
