// The whole story with the real program: two people, two browsers, a server that is killed in the middle of
// it.
import { expect, test } from '@playwright/test';

import { MilenaServer } from './real/milena-server';
import { PASSWORD, PersonAtBrowser } from './real/person';

test.describe.configure({ mode: 'serial' });

const server = new MilenaServer();
let anna: PersonAtBrowser;
let ben: PersonAtBrowser;

test.beforeAll(async ({ browser }) => {
  await server.start();
  anna = await PersonAtBrowser.open(browser, server.url, 'Anna Karenina');
  ben = await PersonAtBrowser.open(browser, server.url, 'Ben 本');
});

test.afterAll(async () => {
  await server.dispose();
});

test('two people register; a taken name is refused beside its field', async ({ browser }) => {
  await anna.register('anna');
  await ben.register('ben');
  const late = await PersonAtBrowser.open(browser, server.url, 'Late');
  await late.page.goto('/register');
  await late.page.getByLabel('Username').fill('ANNA');
  await late.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await late.page.getByRole('button', { name: 'Create account' }).click();
  await expect(late.page.getByText('This username is taken.')).toBeVisible();
  await late.context.close();
});

test('they find each other and write, both ways', async () => {
  await anna.find('be', 'Ben 本');
  await anna.send('Hello Ben, 你好!');
  await expect(anna.page).toHaveURL(/\/c\//);
  await expect(ben.row('Anna Karenina')).toContainText('Hello Ben');
  await expect(ben.row('Anna Karenina')).toContainText('1 unread');
  await expect(ben.page).toHaveTitle('(1) Milena');
  await ben.row('Anna Karenina').click();
  await expect(ben.bubble('Hello Ben')).toBeVisible();
  await expect(ben.page).toHaveTitle('Milena');
  await expect(anna.bubble('Hello Ben').getByRole('img', { name: 'Read' })).toBeVisible();
  await ben.send('Hello Anna');
  await expect(anna.bubble('Hello Anna')).toBeInViewport();
  await expect(anna.row('Ben 本')).not.toContainText('unread');
});

test('unread messages are counted until they are seen, also in another tab of the same person', async () => {
  await ben.page.goto('/');
  const second = await ben.context.newPage();
  await second.goto('/');
  for (const text of ['one', 'two', 'three']) await anna.send(`parcel ${text}`);
  await expect(ben.row('Anna Karenina')).toContainText('3 unread');
  await ben.page.bringToFront();
  await ben.row('Anna Karenina').click();
  await expect(ben.page.getByTestId('unread-divider')).toBeInViewport();
  await expect(ben.row('Anna Karenina')).not.toContainText('unread');
  await expect(second).toHaveTitle('Milena');
  await second.close();
});

test('a reload keeps everything in its place', async () => {
  await anna.page.reload();
  await expect(anna.bubble('parcel three')).toBeInViewport();
  await expect(anna.bubble('Hello Ben')).toHaveCount(1);
  await expect(anna.bubble('Hello Ben')).toHaveAttribute('data-state', 'accepted');
});

test('history comes by scrolling up, complete and in order', async () => {
  const me = (await (await anna.page.request.get('/api/v1/users?query=ben')).json()) as {
    users: { id: string }[];
  };
  for (let i = 1; i <= 180; i += 1) {
    const answer = await anna.page.request.post(`/api/v1/users/${me.users[0]!.id}/messages`, {
      data: { body: `line ${i}.` },
      headers: { origin: server.url },
    });
    expect(answer.status()).toBe(202);
  }
  // What is unread at a reload is where the conversation opens, rightly; here it is to open at its end.
  await expect(anna.bubble('line 180.').getByRole('img', { name: 'Read' })).toBeVisible();
  await ben.page.reload();
  await expect(ben.log).toBeVisible();
  const seen = new Set<string>();
  await ben.log.hover();
  await expect(async () => {
    const now = await ben.texts('line ');
    const numbers = now.map((text) => Number(/\d+/.exec(text)?.[0]));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    now.forEach((text) => seen.add(text));
    await ben.page.mouse.wheel(0, -500);
    await expect(ben.bubble('Hello Ben')).toBeInViewport({ timeout: 60 });
  }).toPass({ intervals: [20], timeout: 40_000 });
  expect(seen.size).toBe(180);
});

test('the server is killed and comes back: a banner, then everything once', async () => {
  await ben.page.reload();
  await expect(ben.bubble('line 180.')).toBeInViewport();
  await server.kill();
  await expect(anna.banner).toBeVisible();
  await expect(ben.banner).toBeVisible();
  for (const text of ['first', 'second', 'third']) await anna.write(`dark ${text}`);
  await ben.write('dark too');
  await expect(anna.bubble('dark first')).toHaveAttribute('data-state', 'queued');
  await server.start();
  await expect(anna.banner).toHaveCount(0, { timeout: 40_000 });
  await expect(ben.banner).toHaveCount(0, { timeout: 40_000 });
  for (const person of [anna, ben]) {
    await expect(person.bubble('dark third')).toHaveAttribute('data-state', 'accepted');
    await expect(person.bubble('dark too')).toHaveAttribute('data-state', 'accepted');
    const texts = await person.texts('dark ');
    expect([...texts].sort()).toEqual(['dark first', 'dark second', 'dark third', 'dark too']);
    expect(texts.filter((text) => text !== 'dark too')).toEqual(['dark first', 'dark second', 'dark third']);
  }
  expect(await anna.texts('dark ')).toEqual(await ben.texts('dark '));
});

test('kills in the middle of sending lose and repeat nothing', async () => {
  const sent: string[] = [];
  for (let round = 1; round <= 3; round += 1) {
    for (let i = 1; i <= 12; i += 1) {
      sent.push(`kill ${round}-${i}.`);
      await anna.write(`kill ${round}-${i}.`);
    }
    await server.kill();
    await server.start();
  }
  await expect(ben.bubble('kill 3-12.')).toBeInViewport({ timeout: 40_000 });
  await expect(anna.page.locator('[data-testid=message]:not([data-state=accepted])')).toHaveCount(0);
  for (const person of [anna, ben]) {
    await person.page.reload();
    await expect(person.bubble('kill 3-12.')).toBeInViewport();
    expect(await stored(person, 'kill ')).toEqual(sent);
  }
});

test('what was sent while one was away arrives once, in order, few and many', async () => {
  // 135 messages by the keyboard: seconds on an idle machine, more than the usual minute on a busy one.
  test.slow();
  for (const count of [5, 130]) {
    await anna.cutLine();
    const sent = Array.from({ length: count }, (_, i) => `away ${count}-${i + 1}.`);
    for (const text of sent) await ben.write(text);
    await expect(ben.bubble(sent.at(-1)!)).toHaveAttribute('data-state', 'accepted', { timeout: 30_000 });
    await expect(anna.bubble(sent[0]!)).toHaveCount(0);
    anna.mendLine();
    await expect(anna.bubble(sent.at(-1)!)).toBeInViewport({ timeout: 40_000 });
    const shown = await anna.texts(`away ${count}-`);
    expect(shown).toEqual(sent.slice(-shown.length));
    expect(await stored(anna, `away ${count}-`)).toEqual(sent);
  }
});

test('a link to an old message opens there, with the rest of the conversation around it', async () => {
  const id = /\/c\/([^/]+)/.exec(ben.page.url())?.[1] ?? '';
  const old = await position(ben, id, 'line 30.');
  await ben.page.goto(`/c/${id}/m/${old}`);
  await expect(ben.bubble('line 30.')).toBeInViewport();
  await expect(ben.bubble('line 29.')).toBeVisible();
  await expect(ben.bubble('line 31.')).toBeVisible();
  await ben.page.getByRole('button', { name: /Newest|new/ }).click();
  await expect(ben.bubble('away 130-130.')).toBeInViewport();
  await expect(ben.page).toHaveURL(new RegExp(`/c/${id}$`));
});

test('a slow line loses nothing of what is typed and sent', async () => {
  const cdp = await ben.context.newCDPSession(ben.page);
  await cdp.send('Network.enable');
  const conditions = { offline: false, latency: 1_500, downloadThroughput: 4_000, uploadThroughput: 4_000 };
  await cdp.send('Network.emulateNetworkConditions', conditions);
  const sent = Array.from({ length: 4 }, (_, i) => `slow ${i + 1}. **really**`);
  for (const text of sent) await ben.write(text);
  await ben.page.getByRole('textbox', { name: /^Message to/ }).fill('half a slow tho');
  await expect(ben.bubble('slow 4.')).toHaveAttribute('data-state', 'accepted', { timeout: 30_000 });
  await cdp.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: -1,
  });
  await ben.page.reload();
  await expect(ben.page.getByRole('textbox', { name: /^Message to/ })).toHaveValue('half a slow tho');
  await expect(ben.bubble('slow 4.').locator('strong')).toHaveText('really');
  expect(await stored(ben, 'slow ')).toEqual(sent);
  await ben.page.getByRole('textbox', { name: /^Message to/ }).fill('');
});

test('notes to self', async () => {
  await anna.page.getByLabel('Your menu').click();
  await anna.page.getByRole('button', { name: 'Notes to self' }).click();
  await anna.send('buy stamps');
  await expect(anna.page).toHaveURL(/\/c\//);
  await expect(anna.page.getByText('This is where it begins.')).toBeVisible();
  await expect(anna.row('Notes to self')).toContainText('You: buy stamps');
});

test('logging out and in again, to the address that was asked for', async () => {
  const address = anna.page.url();
  await anna.page.getByLabel('Your menu').click();
  await anna.page.getByRole('button', { name: 'Log out' }).click();
  await expect(anna.page).toHaveURL(/\/login$/);
  await anna.page.goto(address);
  await anna.page.getByLabel('Username').fill('anna');
  await anna.page.getByLabel('Password', { exact: true }).fill('wrong password');
  await anna.page.keyboard.press('Enter');
  await expect(anna.page.getByRole('alert')).toHaveText('Unknown username or wrong password.');
  await anna.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await anna.page.keyboard.press('Enter');
  await expect(anna.bubble('buy stamps')).toBeVisible();
  await expect(anna.page).toHaveURL(address);
});

test('the pages had nothing to complain about', () => {
  expect(anna.complaints).toEqual([]);
  expect(ben.complaints).toEqual([]);
});

/** Where a message stands, as the server tells it. */
async function position(person: PersonAtBrowser, id: string, body: string): Promise<number> {
  let before = '';
  for (;;) {
    const answer = await person.page.request.get(`/api/v1/conversations/${id}/messages?limit=100${before}`);
    const { messages } = (await answer.json()) as { messages: { body: string; position: number }[] };
    const found = messages.find((message) => message.body === body);
    if (found) return found.position;
    if (!messages[0]) throw new Error(`${body} is not in the history`);
    before = `&before=${messages[0].position}`;
  }
}

/** What history holds, whatever the page shows of it. */
async function stored(person: PersonAtBrowser, prefix: string): Promise<string[]> {
  const id = /\/c\/([^/]+)/.exec(person.page.url())?.[1];
  const bodies: string[] = [];
  let before = '';
  for (;;) {
    const answer = await person.page.request.get(`/api/v1/conversations/${id}/messages?limit=100${before}`);
    const page = (await answer.json()) as {
      messages: { body: string; position: number }[];
      has_before: boolean;
    };
    bodies.unshift(...page.messages.map(({ body }) => body));
    if (!page.has_before) return bodies.filter((body) => body.startsWith(prefix));
    before = `&before=${page.messages[0]?.position}`;
  }
}
