// Being told while no page is open, with the real program: turned on by a press, pushed by the server,
// encrypted, shown by the worker, opened by a press, gone when it was read, and over with logging out.
import { existsSync } from 'node:fs';

import { expect, test } from '@playwright/test';
import type { CDPSession } from '@playwright/test';

import { looks } from './fake/look';
import { MilenaServer } from './real/milena-server';
import { PASSWORD, PersonAtBrowser } from './real/person';
import { PushService } from './real/push-service';

test.describe.configure({ mode: 'serial' });

// The browser without windows never lets anybody show notifications.
const whole = '/usr/bin/chromium';
test.use({
  actionTimeout: 20_000,
  ...(existsSync(whole)
    ? { launchOptions: { executablePath: whole, args: ['--no-sandbox', '--disable-gpu'] } }
    : { channel: 'chromium' }),
});

const server = new MilenaServer({ MILENA__PUSH__PRIVATE_HOSTS: '127.0.0.1' });
const service = new PushService();
let anna: PersonAtBrowser;
let ben: PersonAtBrowser;
let devtools: CDPSession;
let registrationId = '';

/** What is needed of the worker's own scope. */
interface WorkerScope {
  registration: ServiceWorkerRegistration;
  dispatchEvent: (event: Event) => boolean;
  NotificationEvent: new (type: string, init: { notification: Notification }) => Event;
}

const worker = () => anna.context.serviceWorkers()[0]!;

/** The browser hands over what its push service brought; again, where its worker was just ending. */
const bring = (data: string) =>
  expect(async () => {
    const { url: origin } = server;
    await devtools.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data });
    await expect.poll(shown, { timeout: 5_000 }).not.toEqual([]);
  }).toPass({ timeout: 30_000 });

/** What stands on the screen. */
const shown = () =>
  worker().evaluate(async () => {
    const { registration } = globalThis as unknown as WorkerScope;
    return (await registration.getNotifications()).map(({ title, body }) => ({ title, body }));
  });

const also = () => anna.page.getByRole('switch', { name: 'Also when Milena is closed' });
const words = () => anna.page.getByRole('switch', { name: 'Show names and words' });

async function logIn() {
  await anna.page.getByLabel('Username').fill('anna');
  await anna.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await anna.page.keyboard.press('Enter');
  await expect(anna.row('Ben 本')).toBeVisible();
}

/** No page of hers is open. */
const leave = () => anna.page.goto('about:blank');

test.beforeAll(async ({ browser }) => {
  await service.start();
  await server.start();
  anna = await PersonAtBrowser.open(browser, server.url, 'Anna Karenina', {
    serviceWorkers: 'allow',
    permissions: ['notifications'],
  });
  await service.stand(anna.context);
  ben = await PersonAtBrowser.open(browser, server.url, 'Ben 本');
  devtools = await anna.context.newCDPSession(anna.page);
  devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    registrationId = registrations.find((one) => !one.isDeleted)?.registrationId ?? registrationId;
  });
  await devtools.send('ServiceWorker.enable');
  await anna.register('anna');
  await ben.register('ben');
});

test.afterAll(async () => {
  service.dispose();
  await server.dispose();
});

test('it is turned on by a press, and can be turned off again', async () => {
  await anna.page.goto('/settings');
  await anna.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await expect(also()).not.toBeChecked();
  await expect(words()).toHaveCount(0);
  await also().click();
  await expect(also()).toBeChecked();
  await expect(words()).toBeChecked();
  await also().scrollIntoViewIfNeeded();
  await looks(anna.page, 'push');
  await also().click();
  await expect(also()).not.toBeChecked();
  expect(await anna.elsewhere('GET', 'me/push')).toMatchObject({ subscriptions: [] });
  await also().click();
  await expect(also()).toBeChecked();
  await anna.page.reload();
  await expect(also()).toBeChecked();
});

test('what comes while no page is open is shown, and is gone when it was read', async () => {
  await leave();
  await ben.find('anna', 'Anna Karenina');
  await ben.write('Are **you** at the station?');
  await bring(await service.next());
  await expect.poll(shown).toEqual([{ title: 'Ben 本', body: 'Are you at the station?' }]);
  await anna.page.goto('/settings');
  await expect(anna.row('Ben 本')).toContainText('Are you at the station?');
  expect(await shown()).toHaveLength(1);
  await anna.row('Ben 本').click();
  await expect(anna.bubble('at the station?')).toBeVisible();
  await expect.poll(shown).toEqual([]);
});

test('pressed, it opens its conversation where it was said', async () => {
  await leave();
  await ben.send('Platform two.');
  await bring(await service.next());
  await expect.poll(shown).toHaveLength(1);
  await anna.page.goto('/settings');
  await expect(anna.row('Ben 本')).toContainText('Platform two.');
  await worker().evaluate(async () => {
    const scope = globalThis as unknown as WorkerScope;
    const [notification] = await scope.registration.getNotifications();
    scope.dispatchEvent(new scope.NotificationEvent('notificationclick', { notification: notification! }));
  });
  await expect(anna.page).toHaveURL(/\/c\/.*\/m\/\d+$/);
  await expect(anna.bubble('Platform two.')).toBeInViewport();
  await expect.poll(shown).toEqual([]);
});

test('whoever wants no words on the screen gets none', async () => {
  await anna.page.goto('/settings');
  await words().click();
  await expect(words()).not.toBeChecked();
  await anna.page.reload();
  await expect(words()).not.toBeChecked();
  await leave();
  await ben.send('The key is under the third tram');
  const pushed = await service.next();
  expect(pushed).not.toMatch(/third tram|Ben/);
  await bring(pushed);
  await expect.poll(shown).toEqual([{ title: 'Milena', body: 'New message' }]);
});

test('nor does who logs in again after the session has ended', async () => {
  await anna.page.goto('/');
  await expect(anna.row('Ben 本')).toBeVisible();
  const { sessions } = await anna.elsewhere('GET', 'sessions');
  const own = (sessions as { id: string; current: boolean }[]).find(({ current }) => current)!;
  await anna.elsewhere('DELETE', `sessions/${own.id}`);
  await expect(anna.page.getByText('Your session has ended.', { exact: false })).toBeVisible();
  await logIn();
  await anna.page.goto('/settings');
  await expect(also()).toBeChecked();
  await expect(words()).not.toBeChecked();
  await leave();
  await ben.send('The fourth tram is better');
  expect(await service.next()).not.toMatch(/fourth tram|Ben/);
});

test('who logs out is told nothing more, nor is who comes after', async () => {
  await anna.page.goto('/');
  await anna.page.getByLabel('Your menu').click();
  await anna.page.getByRole('button', { name: 'Log out' }).click();
  await expect(anna.page).toHaveURL(/\/login$/);
  expect(await anna.page.evaluate(() => localStorage.getItem('test-subscribed'))).toBeNull();
  await logIn();
  await anna.page.goto('/settings');
  await expect(also()).toBeEnabled();
  await expect(also()).not.toBeChecked();
  expect(await anna.elsewhere('GET', 'me/push')).toMatchObject({ subscriptions: [] });
});

test('the pages had nothing to complain about', () => {
  expect(anna.complaints).toEqual([]);
  expect(ben.complaints).toEqual([]);
});
