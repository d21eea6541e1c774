// Rooms with the real program: made, found, joined by a link, talked in, looked after, left and closed.
import { expect, test } from '@playwright/test';

import { looks } from './fake/look';
import { Correspondent } from './real/correspondent';
import { MilenaServer } from './real/milena-server';
import { PersonAtBrowser } from './real/person';

test.describe.configure({ mode: 'serial' });

const server = new MilenaServer();
let anna: PersonAtBrowser;
let ben: PersonAtBrowser;
let carol: Correspondent;
let link = '';

test.beforeAll(async ({ browser }) => {
  await server.start();
  anna = await PersonAtBrowser.open(browser, server.url, 'Anna Karenina');
  ben = await PersonAtBrowser.open(browser, server.url, 'Ben 本');
  await anna.register('anna');
  await ben.register('ben');
  carol = await Correspondent.register(server.url, 'carol', 'Carol');
});

test.afterAll(async () => {
  // First: it must end also where nobody got as far as registering.
  await server.dispose();
  await carol.dispose();
});

test('a room is made, with an address of its own; what is wrong is said at its field', async () => {
  const { page } = anna;
  await page.getByRole('link', { name: 'Find or create a room' }).first().click();
  await page.getByRole('button', { name: 'New room' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'A new room' });
  await expect(dialog.getByLabel('Name', { exact: true })).toBeFocused();
  await page.keyboard.type('Letters & Trams');
  await expect(dialog.getByLabel('Address')).toHaveValue('letters-trams');
  await dialog.getByLabel('Topic').fill('What was missed on the way');
  await dialog.getByLabel(/^Who comes along/).fill('carol');
  await expect(dialog.getByRole('option', { name: 'Carol' })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('button', { name: 'Leave out Carol' })).toBeVisible();
  await dialog.getByLabel(/^Who comes along/).fill('nobody of this name');
  await expect(dialog.getByText('Nobody else is called')).toBeVisible();
  // What is found or not is left first, then the dialog.
  await page.keyboard.press('Escape');
  await expect(dialog.getByLabel(/^Who comes along/)).toHaveValue('');
  await dialog.getByLabel('Name', { exact: true }).press('Enter');
  await expect(page.getByRole('heading', { name: 'Letters & Trams' })).toBeVisible();
  await expect(anna.quiet('You created the room')).toBeVisible();
  await expect(page.getByRole('textbox', { name: /^Message to/ })).toBeFocused();
  await expect(page).toHaveURL(/\/c\//);
  await expect(page.getByRole('button', { name: '2 members: show them' })).toBeVisible();
  await page.goto('/rooms');
  await page.getByRole('button', { name: 'New room' }).first().click();
  await dialog.getByLabel('Name', { exact: true }).fill('Another');
  await dialog.getByLabel('Address').fill('letters-trams');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('Another room has this address already.')).toBeVisible();
  await dialog.getByLabel('Address').fill('-x');
  await expect(dialog.getByText('It begins with a letter or a digit.')).toBeVisible();
  await dialog.getByLabel('Name', { exact: true }).fill('x'.repeat(81));
  await expect(dialog.getByText('At most 80 characters: 1 too many.')).toBeVisible();
  await looks(page, 'room-new');
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'New room' }).first()).toBeFocused();
});

test('another one finds it in the directory, looks at it from outside, and joins from there', async () => {
  const { page } = ben;
  await page.goto('/rooms');
  await page.getByLabel('Search public rooms').fill('nothing like it');
  await expect(page.getByText('No public room is about')).toBeVisible();
  await looks(page, 'rooms-none');
  await page.getByLabel('Search public rooms').fill('missed tr');
  await expect(page.getByText('#letters-trams · 2 members')).toBeVisible();
  await looks(page, 'rooms');
  await page.getByRole('main').getByRole('link', { name: 'Letters & Trams' }).click();
  await expect(page).toHaveURL(/\/r\/letters-trams$/);
  await expect(page.getByRole('heading', { name: 'Letters & Trams' })).toBeVisible();
  await expect(page.getByText('What was missed on the way')).toBeVisible();
  await looks(page, 'room-door');
  await page.goBack();
  await page.getByRole('button', { name: 'Join Letters & Trams' }).click();
  await expect(page.getByRole('button', { name: '3 members: show them' })).toBeVisible();
  await expect(page).toHaveURL(/\/c\//);
  link = new URL(page.url()).pathname;
  await expect(ben.quiet('You joined')).toBeVisible();
  await expect(anna.row('Letters & Trams')).toContainText('Ben 本 joined');
});

test('many write; who wrote what, and what is unread, is in the list of each', async () => {
  await anna.page.goto('/');
  await ben.send('Did anybody see my tram?');
  await expect(anna.row('Letters & Trams')).toContainText('Ben 本: Did anybody see my tram?');
  await expect(anna.row('Letters & Trams')).toContainText('1 unread');
  await expect(ben.row('Letters & Trams')).toContainText('You: Did anybody');
  await expect(ben.row('Letters & Trams')).not.toContainText('unread');
  await carol.say(link.split('/').at(-1)!, 'It left without you, as always.');
  await expect(ben.bubble('It left without you')).toContainText('Carol');
  await expect(anna.row('Letters & Trams')).toContainText('2 unread');
  await anna.row('Letters & Trams').click();
  await expect(anna.page.getByTestId('unread-divider')).toBeInViewport();
  await expect(anna.row('Letters & Trams')).not.toContainText('unread');
  await anna.send('There is another one in ten minutes.');
  await expect(ben.bubble('another one in ten minutes')).toContainText('Anna Karenina');
  await looks(ben.page, 'room');
  await anna.page.reload();
  await expect(anna.bubble('another one in ten minutes')).toBeInViewport();
  await expect(anna.row('Letters & Trams')).not.toContainText('unread');
});

test('owners look after the room by keyboard alone', async () => {
  const { page } = anna;
  const opener = page.getByRole('button', { name: '3 members: show them' });
  await opener.focus();
  await page.keyboard.press('Enter');
  const panel = page.getByRole('complementary', { name: 'About this room' });
  await expect(panel).toBeFocused();
  await expect(panel.getByRole('button', { name: /Anna Karenina.*you.*Owner/ })).toBeVisible();
  await panel.getByRole('button', { name: 'Copy link' }).press('Enter');
  await expect(panel.getByRole('status').filter({ hasText: 'Link copied' })).toBeAttached();
  await looks(page, 'room-panel');
  await panel.getByLabel('Search members').fill('ben');
  await expect(panel.getByRole('listitem').filter({ hasText: 'Carol' })).toHaveCount(0);
  await panel.getByRole('button', { name: /Ben/ }).focus();
  await page.keyboard.press('Enter');
  const sheet = page.getByRole('dialog', { name: 'Member' });
  await looks(page, 'room-member');
  await sheet.getByRole('button', { name: 'Make moderator' }).press('Enter');
  await expect(sheet).toHaveCount(0);
  await expect(panel.getByRole('button', { name: /Ben.*Moderator/ })).toBeFocused();
  await panel.getByLabel('Search members').press('Escape');
  await expect(panel.getByLabel('Search members')).toHaveValue('');
  await panel.getByRole('button', { name: 'Settings' }).press('Enter');
  const settings = page.getByRole('dialog', { name: 'Room settings' });
  await looks(page, 'room-settings');
  await settings.getByLabel('Topic').fill('Trams, late and lost');
  await settings.getByLabel('Only moderators').check();
  await settings.getByLabel('Topic').press('Enter');
  await expect(settings).toHaveCount(0);
  await expect(panel.getByRole('button', { name: 'Settings' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(panel).toHaveCount(0);
  await expect(opener).toBeFocused();
  await expect(ben.page.getByText('Trams, late and lost', { exact: true })).toBeVisible();
  await expect(ben.quiet('made you a moderator')).toBeVisible();
  await expect(ben.page.getByRole('textbox', { name: /^Message to/ })).toBeVisible();
});

test('the last owner cannot leave, and hears why', async () => {
  const { page } = anna;
  await page.getByRole('button', { name: 'Letters & Trams' }).click();
  await page.getByRole('button', { name: 'Leave room' }).click();
  const dialog = page.getByRole('dialog', { name: 'Leave Letters & Trams?' });
  await dialog.getByRole('button', { name: 'Leave' }).click();
  await expect(dialog.getByRole('alert')).toContainText('A room needs an owner');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Leave room' })).toBeFocused();
});

test('whoever is sent away while it is open sees who did it, and what was not sent', async () => {
  const { page } = anna;
  const panel = page.getByRole('complementary', { name: 'About this room' });
  await ben.cutLine();
  await ben.write('Wait for me');
  await panel.getByRole('button', { name: /Ben/ }).click();
  await page.getByRole('button', { name: 'Ban from the room…' }).click();
  await page.getByRole('dialog', { name: 'Ban Ben 本?' }).getByRole('button', { name: 'Ban' }).click();
  await expect(panel.getByRole('button', { name: /Ben/ })).toHaveCount(0);
  await expect(anna.quiet('You banned Ben 本')).toBeVisible();
  ben.mendLine();
  await expect(ben.page.getByText('You are banned from this room')).toBeVisible({ timeout: 40_000 });
  await expect(ben.page.getByText('Wait for me')).toBeVisible();
  await expect(ben.page.getByText('Not sent.')).toBeVisible();
  await looks(ben.page, 'room-banned');
  await ben.page.getByRole('button', { name: 'Discard' }).click();
  await expect(ben.row('Letters & Trams')).toHaveCount(0);

  await panel.getByRole('button', { name: 'Bans' }).click();
  await looks(page, 'room-bans');
  await page.getByRole('button', { name: 'Lift the ban on Ben 本' }).click();
  await expect(page.getByText('Nobody is banned from this room.')).toBeVisible();
  await page.keyboard.press('Escape');
  await panel.getByRole('button', { name: 'Add people' }).click();
  const add = page.getByRole('dialog', { name: /^Add people/ });
  await add.getByLabel('Who').fill('ben');
  await add.getByRole('option', { name: 'Ben 本' }).click();
  await looks(page, 'room-add');
  await add.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(ben.row('Letters & Trams')).toBeVisible();
  await expect(ben.row('Letters & Trams')).toContainText('There is another one');
  await expect(ben.page.getByText('Only moderators write in this room.')).toBeVisible();
  await looks(ben.page, 'room-read-only');

  await panel.getByRole('button', { name: /Ben/ }).click();
  await page.getByRole('button', { name: 'Remove from the room…' }).click();
  await page.getByRole('dialog', { name: 'Remove Ben 本?' }).getByRole('button', { name: 'Remove' }).click();
  await expect(ben.page.getByText('Anna Karenina removed you.')).toBeVisible();
  await looks(ben.page, 'room-removed');
  await ben.page.getByRole('button', { name: 'Join this room' }).click();
  await expect(ben.bubble('There is another one')).toBeVisible();
});

test('an archived room can be read, and opened again', async () => {
  const { page } = anna;
  const panel = page.getByRole('complementary', { name: 'About this room' });
  await panel.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Archive this room' }).click();
  await expect(page.getByRole('note')).toContainText('This room is archived');
  await expect(ben.page.getByRole('note')).toContainText('This room is archived');
  await expect(ben.page.getByText('Archived ·')).toBeVisible();
  await looks(page, 'room-archived');
  await panel.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Open the room again' }).click();
  await expect(page.getByRole('textbox', { name: /^Message to/ })).toBeVisible();
});

test('many who come are told of in one line', async () => {
  const many = await Promise.all(
    Array.from({ length: 5 }, (_, n) => Correspondent.register(server.url, `guest.${n}`, `Guest ${n}`)),
  );
  for (const guest of many) {
    await guest.join(link.split('/').at(-1)!);
    await guest.dispose();
  }
  await expect(anna.quiet(/5 people joined/)).toBeVisible();
  await anna.page.getByRole('button', { name: 'Details' }).last().click();
  await expect(anna.quiet('Guest 3 joined')).toBeVisible();
  await looks(anna.page, 'room-many');
});

test('a private room is for those who are brought in; leaving it is asked about', async () => {
  const { page } = ben;
  await page.goto('/rooms');
  await page.getByRole('button', { name: 'New room' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'A new room' });
  await dialog.getByLabel('Name', { exact: true }).fill('信件');
  await dialog.getByLabel('Address').fill('xinjian');
  await dialog.getByLabel(/^Private/).check();
  await dialog.getByLabel(/^From when/).check();
  await dialog.getByRole('button', { name: 'Create room' }).click();
  await expect(page.getByRole('heading', { name: '信件' })).toBeVisible();
  const address = new URL(page.url()).pathname;
  await anna.page.goto('/r/xinjian');
  await expect(anna.page.getByText('There is no such room, or it is private')).toBeVisible();
  await looks(anna.page, 'room-none');
  await anna.page.goto(address);
  await expect(anna.page.getByText('There is no such conversation')).toBeVisible();
  await page.getByRole('button', { name: 'One member: show them' }).click();
  await page.getByRole('button', { name: 'Add people' }).click();
  await page.getByRole('dialog').getByLabel('Who').fill('anna');
  await page.getByRole('option', { name: 'Anna Karenina' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
  await anna.row('信件').click();
  await expect(anna.quiet('Ben 本 added you')).toBeVisible();
  await anna.page.getByRole('button', { name: '信件' }).click();
  await anna.page.getByRole('button', { name: 'Leave room' }).click();
  await looks(anna.page, 'room-leave');
  await anna.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
  await expect(anna.row('信件')).toHaveCount(0);
  await expect(anna.page).toHaveURL(server.url);
});

test('on a phone the panel is a page of its own, and Back leaves one thing after the other', async () => {
  const { page } = ben;
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(link);
  await page.getByRole('button', { name: '8 members: show them' }).click();
  const panel = page.getByRole('complementary', { name: 'About this room' });
  await expect(panel).toBeFocused();
  await expect(page.getByRole('log')).toBeHidden();
  await page.getByRole('button', { name: 'Leave room' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(panel).toBeVisible();
  await page.goBack();
  await expect(panel).toHaveCount(0);
  await expect(page.getByRole('log')).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`${link}$`));
});

test('what loads, fails or is not there is said, and asked for again', async () => {
  const { page } = anna;
  const list = '**/api/v1/rooms?*';
  const members = '**/api/v1/rooms/*/members?*';
  const nothing = { rooms: [], next: null, complete: true };
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  await page.route(list, (route) => gate.then(() => route.abort()));
  await page.goto('/rooms');
  await expect(page.getByRole('status', { name: 'Loading rooms' })).toBeVisible();
  release();
  await expect(page.getByText('The rooms could not be loaded')).toBeVisible();
  await looks(page, 'rooms-failed');
  await page.unroute(list);
  await page.route(list, (route) => route.fulfill({ json: nothing }));
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByText('There is no public room yet')).toBeVisible();
  await looks(page, 'rooms-empty');
  await page.unroute(list);

  await page.route(members, (route) => route.abort());
  await page.goto(link);
  await page.getByRole('button', { name: 'Letters & Trams' }).click();
  await expect(page.getByText('The members could not be loaded.')).toBeVisible();
  await looks(page, 'room-members-failed');
  await page.unroute(members);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('button', { name: /Guest 4/ })).toBeVisible();
});

test('the pages had nothing to complain about', () => {
  expect(anna.complaints).toEqual([]);
  expect(ben.complaints).toEqual([]);
});
