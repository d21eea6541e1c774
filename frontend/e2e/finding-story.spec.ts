// Getting around with the real program: the quick switcher, with the server there and stopped, and the keys
// from one conversation to the next.
import { expect, test } from '@playwright/test';

import { Correspondent } from './real/correspondent';
import { MilenaServer } from './real/milena-server';
import { PersonAtBrowser } from './real/person';

test.describe.configure({ mode: 'serial' });

const server = new MilenaServer();
let anna: PersonAtBrowser;
let annaId: string;
const friends: Record<string, Correspondent> = {};

test.beforeAll(async ({ browser }) => {
  await server.start();
  anna = await PersonAtBrowser.open(browser, server.url, 'Anna Karenina');
  await anna.register('anna');
  const me = (await (await anna.page.request.get('/api/v1/me')).json()) as { id: string };
  annaId = me.id;
  const names: Record<string, string> = {
    jesenska: 'Milena Jesenská',
    milos: 'Miloš',
    brod: 'Max Brod',
    mila: 'Mila Stranger',
  };
  for (const [username, name] of Object.entries(names))
    friends[username] = await Correspondent.register(server.url, username, name);
  // The list from above: Miloš, Max, Milena. Mila never wrote.
  for (const username of ['jesenska', 'brod', 'milos'])
    await friends[username]!.write(annaId, `a letter from ${username}`);
  await expect(anna.row('Miloš')).toBeVisible();
});

test.afterAll(async () => {
  for (const friend of Object.values(friends)) await friend.dispose();
  await server.dispose();
});

const field = () => anna.page.getByRole('combobox', { name: 'Find people and conversations' });
const options = () => anna.page.getByRole('option');
const group = (name: string) => anna.page.getByRole('group', { name }).getByRole('option');
const heading = (name: string) => anna.page.getByRole('heading', { name, exact: true });
const composer = () => anna.page.getByRole('textbox', { name: /^Message to/ });

async function chosen(): Promise<string | null> {
  const id = (await field().getAttribute('aria-activedescendant')) ?? 'nothing';
  const option = anna.page.locator(`[id="${id}"]`);
  await expect(option).toHaveAttribute('aria-selected', 'true');
  await expect(anna.page.locator('[role=option][aria-selected=true]')).toHaveCount(1);
  return option.textContent();
}

test('finds conversations at once and people behind them, by keyboard alone', async () => {
  await anna.page.keyboard.press('Control+k');
  await expect(field()).toBeFocused();
  await expect(field()).toHaveAttribute('aria-expanded', 'false');
  await anna.page.keyboard.type('mil');
  await expect(field()).toHaveAttribute('aria-expanded', 'true');
  await expect(group('People')).toHaveText([/Mila Stranger/]);
  // Milena's letter is older than Miloš's, and both names begin with it.
  await expect(group('Conversations')).toHaveText([/Miloš/, /Milena Jesenská/]);
  expect(await chosen()).toContain('Miloš');
  await anna.page.keyboard.press('ArrowDown');
  expect(await chosen()).toContain('Milena');
  await anna.page.keyboard.press('ArrowDown');
  expect(await chosen()).toContain('Mila Stranger');
  await anna.page.keyboard.press('ArrowDown');
  expect(await chosen()).toContain('Miloš');
  await anna.page.keyboard.press('ArrowUp');
  expect(await chosen()).toContain('Mila Stranger');
  await anna.page.keyboard.press('Enter');
  await expect(heading('Mila Stranger')).toBeVisible();
  await expect(composer()).toBeFocused();
  await expect(options()).toHaveCount(0);
});

test('finds without marks, by any word, and oneself', async () => {
  for (const [query, name] of [
    ['jesenska', 'Milena Jesenská'],
    ['milos', 'Miloš'],
    ['bro max', 'Max Brod'],
    ['notes', 'Notes to self'],
    ['self', 'Notes to self'],
    ['karen', 'Notes to self'],
  ] as const) {
    await field().fill(query);
    await expect(group('Conversations')).toHaveText([new RegExp(name)]);
  }
  await anna.page.keyboard.press('Enter');
  await expect(heading('Notes to self').first()).toBeVisible();
  await anna.send('buy ink');
  await field().fill('notes');
  await expect(group('Conversations')).toHaveText([/Notes to self/]);
  await anna.page.keyboard.press('Escape');
});

test('Escape ends the search and gives the focus back to where one was writing', async () => {
  await anna.row('Max Brod').click();
  await composer().fill('half a thought');
  await anna.page.keyboard.press('Control+k');
  await anna.page.keyboard.type('mil');
  await expect(options().first()).toBeVisible();
  await anna.page.keyboard.press('Escape');
  await expect(options()).toHaveCount(0);
  await expect(composer()).toBeFocused();
  await anna.page.keyboard.type(' more');
  await expect(composer()).toHaveValue('half a thought more');
  await composer().fill('');
});

test('what was typed last is what Enter takes, not the answer to what was typed before', async () => {
  await anna.page.route('**/api/v1/users?*', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await route.continue().catch(() => undefined);
  });
  await anna.page.keyboard.press('Control+k');
  await anna.page.keyboard.type('mila s');
  await expect(group('People')).toHaveText([/Mila Stranger/]);
  await anna.page.keyboard.type('x');
  await expect(options()).toHaveCount(0);
  await anna.page.keyboard.press('Enter');
  await expect(heading('Max Brod')).toBeVisible();
  await expect(anna.page.getByText('Nobody is called “mila sx”.')).toBeVisible();
  await anna.page.unroute('**/api/v1/users?*');
  await anna.page.keyboard.press('Escape');
});

test('with the server stopped, conversations are found, and it is said that people are not', async () => {
  await server.kill();
  await anna.page.keyboard.press('Control+k');
  await anna.page.keyboard.type('mil');
  await expect(group('Conversations')).toHaveText([/Miloš/, /Milena Jesenská/]);
  await expect(anna.page.getByText('Other people cannot be searched right now.')).toBeVisible();
  await expect(group('People')).toHaveCount(0);
  await anna.page.keyboard.press('ArrowDown');
  await anna.page.keyboard.press('Enter');
  await expect(heading('Milena Jesenská')).toBeVisible();
  await anna.page.keyboard.press('Control+k');
  await anna.page.keyboard.type('mila');
  await expect(anna.page.getByText('none is with “mila”')).toBeVisible();
  // The search goes on by itself when the server is back.
  await server.start();
  await expect(group('People')).toHaveText([/Mila Stranger/], { timeout: 40_000 });
  await expect(anna.page.getByText('cannot be searched')).toHaveCount(0);
  await anna.page.keyboard.press('Escape');
  await expect(anna.banner).toHaveCount(0, { timeout: 40_000 });
});

test('Alt and the arrows walk through the list, with Shift to what is unread', async () => {
  // From above: notes, Miloš, Max, Milena.
  const walk = async (keys: string, name: string) => {
    await anna.page.keyboard.press(keys);
    await expect(heading(name).first()).toBeVisible();
    await expect(composer()).toBeFocused();
    // What is there is read before one goes on: a list that is left at once has shown nothing yet.
    await expect(anna.row(name).first()).not.toContainText('unread');
  };
  await anna.row('Milena Jesenská').click();
  await walk('Alt+ArrowUp', 'Max Brod');
  await walk('Alt+ArrowUp', 'Miloš');
  await walk('Alt+ArrowUp', 'Notes to self');
  await anna.page.keyboard.press('Alt+ArrowUp');
  await expect(heading('Notes to self').first()).toBeVisible();
  await walk('Alt+ArrowDown', 'Miloš');
  await walk('Alt+ArrowDown', 'Max Brod');
  await friends.jesenska!.write(annaId, 'one more');
  await expect(anna.row('Milena Jesenská')).toContainText('1 unread');
  await friends.milos!.write(annaId, 'and one more');
  await expect(anna.row('Miloš')).toContainText('1 unread');
  // Now: Miloš and Milena, unread; notes; Max, open.
  await walk('Alt+Shift+ArrowUp', 'Milena Jesenská');
  await expect(anna.row('Milena Jesenská')).not.toContainText('unread');
  await walk('Alt+Shift+ArrowDown', 'Miloš');
  await expect(anna.row('Miloš')).not.toContainText('unread');
  await anna.page.keyboard.press('Alt+Shift+ArrowDown');
  await expect(heading('Miloš')).toBeVisible();
  await anna.page.keyboard.press('Control+/');
  const list = anna.page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  for (const text of ['Next conversation', 'Previous conversation', 'Next unread', 'Previous unread'])
    await expect(list.getByText(text)).toBeVisible();
  await anna.page.keyboard.press('Escape');
});

test('on a narrow screen the search comes into view with its key, ready for the next one', async () => {
  await anna.page.setViewportSize({ width: 390, height: 800 });
  await expect(composer()).toBeVisible();
  await expect(field()).toBeHidden();
  await anna.page.keyboard.press('Control+k');
  await anna.page.keyboard.type('brod');
  await expect(field()).toHaveValue('brod');
  await anna.page.keyboard.press('Enter');
  await expect(heading('Max Brod')).toBeVisible();
});

test('nothing went wrong on the way', () => {
  expect(anna.complaints).toEqual([]);
});
