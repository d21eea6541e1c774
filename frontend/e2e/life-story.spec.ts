// What becomes of messages, with the real program: answered, named in, reacted to, edited, pinned and deleted
// by people who see each other do it, are away meanwhile, come back, and reload.
import { expect, test } from '@playwright/test';

import { kept } from './fake/kept';
import { looks } from './fake/look';
import { Correspondent } from './real/correspondent';
import { MilenaServer } from './real/milena-server';
import { PersonAtBrowser } from './real/person';

test.describe.configure({ mode: 'serial' });

const server = new MilenaServer();
let anna: PersonAtBrowser;
let ben: PersonAtBrowser;
let carol: Correspondent;
let room = '';

const composer = ({ page }: PersonAtBrowser) =>
  page.getByRole('textbox', { name: /^(Message to|Edit your)/ });
const settled = ({ page }: PersonAtBrowser) => page.getByTestId('settled');

/** What can be done with a message, all of it. */
async function sheet(person: PersonAtBrowser, text: string) {
  await person.bubble(text).last().focus();
  await person.page.keyboard.press('Enter');
  return person.page.getByRole('dialog', { name: 'Message' });
}

test.beforeAll(async ({ browser }) => {
  await server.start();
  anna = await PersonAtBrowser.open(browser, server.url, 'Anna Karenina');
  ben = await PersonAtBrowser.open(browser, server.url, 'Ben 本');
  await anna.register('anna');
  await ben.register('ben');
  carol = await Correspondent.register(server.url, 'carol', 'Carol');
  const { page } = anna;
  await page.goto('/rooms');
  await page.getByRole('button', { name: 'New room' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'A new room' });
  await dialog.getByLabel('Name', { exact: true }).fill('Trams');
  await dialog.getByRole('button', { name: 'Create room' }).click();
  await expect(page.getByRole('heading', { name: 'Trams' })).toBeVisible();
  room = new URL(page.url()).pathname;
  await carol.join(room.split('/').at(-1)!);
  await ben.page.goto('/r/trams');
  await ben.page.getByRole('button', { name: 'Join this room' }).click();
  await expect(ben.quiet('You and Carol joined')).toBeVisible();
});

test.afterAll(async () => {
  // First: it must end also where nobody got as far as registering.
  await server.dispose();
  await carol.dispose();
});

test('a message is answered and reacted to, and the other one sees it', async () => {
  await ben.send('Did anybody see my tram?');
  await anna.bubble('see my tram').hover();
  await anna.bubble('see my tram').getByRole('button', { name: 'React' }).click();
  await anna.page.getByRole('button', { name: '❤️' }).click();
  await expect(settled(anna)).toHaveText('Reacted with ❤️');
  await expect(ben.page.getByRole('button', { name: '❤️ 1: Anna Karenina' })).toBeVisible();
  await ben.page.getByRole('button', { name: '❤️ 1: Anna Karenina' }).click();
  await expect(anna.page.getByRole('button', { name: /^❤️ 2: You and Ben/ })).toBeVisible();
  await anna.page.getByRole('button', { name: /^❤️ 2: You and Ben/ }).click();
  await expect(ben.page.getByRole('button', { name: '❤️ 1: You' })).toBeVisible();
  await anna.bubble('see my tram').hover();
  await anna.bubble('see my tram').getByRole('button', { name: 'Reply' }).click();
  await expect(anna.page.getByTestId('writing')).toContainText('Ben 本');
  await anna.send('It left without you.');
  const quote = ben.bubble('It left without you').getByTitle('Show this message');
  await expect(quote).toContainText('Did anybody see my tram?');
  await quote.click();
  await ben.page.getByRole('button', { name: 'Back to the answer' }).click();
  await expect(ben.bubble('It left without you')).toBeInViewport();
});

test('somebody is named, and finds it in the list, also under a new name', async () => {
  await ben.page.goto('/');
  await composer(anna).pressSequentially('Ask @be');
  await expect(anna.page.getByRole('option', { name: /Ben 本/ })).toBeVisible();
  await anna.page.keyboard.press('Tab');
  await anna.page.keyboard.type('and @everyone');
  await anna.page.keyboard.press('Enter');
  await expect(ben.row('Trams')).toContainText('Ask @Ben 本 and @everyone');
  await expect(ben.row('Trams')).toContainText('one names you');
  await ben.row('Trams').click();
  await expect(ben.bubble('Ask').getByTestId('mention')).toHaveText(['@Ben 本', '@everyone']);
  await expect(ben.row('Trams')).not.toContainText('names you');
  await looks(ben.page, 'life-room');
});

test('a message is edited with Up, and pinned; both are there after a reload', async () => {
  await anna.page.keyboard.press('ArrowUp');
  await expect(composer(anna)).toHaveValue('Ask @ben and @everyone');
  await anna.page.keyboard.press('Escape');
  await expect(composer(anna)).toHaveValue('');
  await anna.page.keyboard.press('ArrowUp');
  await composer(anna).fill('Ask @carol');
  await anna.page.keyboard.press('Enter');
  await expect(ben.bubble('Ask @Carol')).toContainText('(edited)');
  await expect(ben.row('Trams')).toContainText('Ask @Carol');
  await (await sheet(anna, 'It left without you')).getByRole('button', { name: 'Pin', exact: true }).click();
  await expect(ben.quiet('Anna Karenina pinned a message')).toBeVisible();
  await expect(anna.quiet('You pinned a message')).toBeVisible();
  await anna.page.reload();
  await expect(anna.bubble('Ask @Carol')).toContainText('(edited)');
  await expect(anna.page.getByRole('button', { name: /^❤️ 1: Ben/ })).toBeVisible();
});

test('whoever is away finds what was changed and deleted meanwhile, and no words of it', async () => {
  await carol.say(room.split('/').at(-1)!, 'A secret about trams');
  await expect(ben.bubble('A secret about trams')).toBeVisible();
  await ben.cutLine();
  await (await sheet(anna, 'A secret about trams')).getByRole('button', { name: 'Delete…' }).click();
  await anna.page
    .getByRole('dialog', { name: 'Delete this message?' })
    .getByRole('button', { name: 'Delete' })
    .click();
  await expect(anna.page.getByTestId('deleted')).toHaveText('This message was deleted.');
  await expect(settled(anna)).toHaveText('Message deleted');
  await expect(ben.bubble('A secret about trams')).toBeVisible();
  ben.mendLine();
  await expect(ben.page.getByTestId('deleted')).toBeVisible({ timeout: 40_000 });
  await expect(ben.row('Trams')).toContainText('This message was deleted.');
  for (const person of [anna, ben]) {
    await person.page.reload();
    await expect(person.page.getByTestId('deleted')).toBeVisible();
    expect(await person.page.content()).not.toContain('A secret about trams');
  }
});

test('whoever leaves and comes back finds what became of what their page holds', async () => {
  const id = room.split('/').at(-1)!;
  const early = await carol.say(id, 'The first tram leaves at five');
  const secret = await carol.say(id, 'The driver sings when nobody is on it');
  await expect(ben.bubble('leaves at five')).toBeVisible();
  await expect(ben.bubble('driver sings')).toBeVisible();
  await ben.page.getByRole('button', { name: 'Trams' }).click();
  await ben.page.getByRole('button', { name: 'Leave room' }).click();
  await ben.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
  await expect(ben.row('Trams')).toHaveCount(0);
  expect(await kept(ben.page)).not.toContain('driver sings');
  await carol.edit(id, early, 'The first tram leaves at six');
  await carol.delete(id, secret);
  await ben.page.goto('/r/trams');
  await ben.page.getByRole('button', { name: 'Join this room' }).click();
  await expect(ben.bubble('The first tram leaves at six')).toContainText('(edited)');
  await expect(ben.page.getByTestId('deleted')).toHaveCount(2);
  await expect.poll(() => kept(ben.page)).not.toMatch(/driver sings|leaves at five/);
});

test('the same where they left and came back elsewhere, while their page had no connection', async () => {
  const id = room.split('/').at(-1)!;
  const late = await carol.say(id, 'The last tram leaves at eleven');
  const secret = await carol.say(id, 'The conductor sleeps in it');
  await expect(ben.bubble('conductor sleeps')).toBeVisible();
  await ben.cutLine();
  await ben.elsewhere('POST', `rooms/${id}/leave`);
  await carol.edit(id, late, 'The last tram leaves at midnight');
  await carol.delete(id, secret);
  await ben.elsewhere('POST', `rooms/${id}/join`);
  await expect(ben.bubble('conductor sleeps')).toBeVisible();
  ben.mendLine();
  await expect(ben.bubble('leaves at midnight')).toContainText('(edited)', { timeout: 40_000 });
  await expect(ben.page.getByTestId('deleted')).toHaveCount(3);
  await expect(ben.row('Trams')).toContainText('This message was deleted.');
  // What was asked for is kept a moment later.
  await expect.poll(() => kept(ben.page)).not.toMatch(/conductor sleeps|leaves at eleven/);
});

test('what is done without a connection waits, survives a reload, and goes in its order', async () => {
  await expect(ben.row('Trams')).toBeVisible();
  await ben.cutLine();
  await ben.write('One more question');
  await ben.bubble('It left without you').hover();
  await ben.bubble('It left without you').getByRole('button', { name: 'React' }).click();
  await ben.page.getByRole('button', { name: '👍' }).click();
  await expect(ben.page.getByRole('button', { name: '👍 1: You' })).toBeVisible();
  await ben.page.reload();
  await expect(ben.bubble('One more question')).toBeVisible();
  ben.mendLine();
  await expect(anna.bubble('One more question')).toBeVisible({ timeout: 40_000 });
  await expect(anna.page.getByRole('button', { name: /^👍 1: Ben/ })).toBeVisible();
  await expect(ben.bubble('One more question')).toHaveAttribute('data-state', 'accepted');
});

test('between two people it is the same', async () => {
  await anna.find('ben', 'Ben 本');
  await anna.send('For you alone');
  await anna.page.keyboard.press('ArrowUp');
  await composer(anna).fill('For you, and you alone');
  await anna.page.keyboard.press('Enter');
  await expect(ben.row('Anna Karenina')).toContainText('For you, and you alone');
  await ben.row('Anna Karenina').click();
  await ben.bubble('For you, and you alone').hover();
  await ben.bubble('For you, and you alone').getByRole('button', { name: 'More actions' }).click();
  await expect(ben.page.getByRole('dialog').getByRole('button', { name: 'Delete…' })).toHaveCount(0);
  await ben.page.getByRole('dialog').getByRole('button', { name: 'Pin', exact: true }).click();
  await expect(anna.quiet('Ben 本 pinned a message')).toBeVisible();
  await (await sheet(anna, 'For you, and you alone')).getByRole('button', { name: 'Delete…' }).click();
  await anna.page
    .getByRole('dialog', { name: 'Delete this message?' })
    .getByRole('button', { name: 'Delete' })
    .click();
  await expect(ben.page.getByTestId('deleted')).toBeVisible();
  await ben.page.reload();
  await expect(ben.page.getByTestId('deleted')).toBeVisible();
  await looks(ben.page, 'life-direct');
});

test('the pages had nothing to complain about', () => {
  expect(anna.complaints).toEqual([]);
  expect(ben.complaints).toEqual([]);
});
