// What one does with messages besides sending and scrolling: formatting, emoji, links to one of them, the
// keyboard.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { chatOf, furnish, idOf, me, milena, minutesAgo } from '../fake/people';

const composer = (page: Page) => page.getByLabel('Message to Milena');
const bubble = (page: Page, text: string) => page.getByTestId('message').filter({ hasText: text });

async function open(page: Page, path = `/c/${idOf(milena)}`): Promise<FakeBackend> {
  const backend = new FakeBackend(me);
  furnish(backend);
  await backend.attach(page);
  await page.goto(`${ORIGIN}${path}`);
  await expect(page.getByRole('log')).toBeVisible();
  return backend;
}

test('formats Markdown, colours code, and opens links in a tab of their own', async ({ page }) => {
  const backend = await open(page);
  backend.deliver(
    milena,
    '**Bold** and _leaning_\n\n```rust\nfn main() {}\n```\n\n> said\n\n- one\n- two\n\n' +
      'see [the page](https://example.org/)',
  );
  const message = bubble(page, 'Bold');
  await expect(message.locator('strong')).toHaveText('Bold');
  await expect(message.locator('em')).toHaveText('leaning');
  await expect(message.locator('pre [data-kind=keyword]')).toHaveText('fn');
  await expect(message.locator('blockquote')).toHaveText('said');
  await expect(message.locator('li')).toHaveText(['one', 'two']);
  const link = message.getByRole('link', { name: 'the page' });
  await expect(link).toHaveAttribute('target', '_blank');
  await expect(link).toHaveAttribute('rel', /noopener/);
  await expect(page.getByRole('log')).toHaveJSProperty('scrollLeft', 0);
});

test('Ctrl+B marks what is chosen, and takes the marks away again', async ({ page }) => {
  await open(page);
  await composer(page).fill('very important');
  await composer(page).evaluate((area: HTMLTextAreaElement) => area.setSelectionRange(5, 14));
  await page.keyboard.press('Control+b');
  await expect(composer(page)).toHaveValue('very **important**');
  await page.keyboard.press('Control+b');
  await expect(composer(page)).toHaveValue('very important');
  await page.keyboard.press('Control+z');
  await expect(composer(page)).toHaveValue('very **important**');
});

test('completes :names: of emoji by keyboard', async ({ page }) => {
  const backend = await open(page);
  await composer(page).pressSequentially('well :tad');
  const list = page.getByRole('listbox', { name: 'Emoji' });
  await expect(list.getByRole('option').first()).toContainText(':tada:');
  await page.keyboard.press('Tab');
  await expect(composer(page)).toHaveValue('well 🎉 ');
  await expect(list).toHaveCount(0);
  await composer(page).pressSequentially(':smile:');
  await expect(composer(page)).toHaveValue('well 🎉 😄');
  await composer(page).pressSequentially(' at 12:30 :hea');
  await expect(list).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(list).toHaveCount(0);
  await page.keyboard.press('Enter');
  await expect.poll(() => backend.sends.at(-1)?.body).toBe('well 🎉 😄 at 12:30 :hea');
  await composer(page).pressSequentially('so :tad');
  await expect(list).toBeVisible();
  await expect(composer(page)).not.toHaveAttribute('aria-activedescendant');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(composer(page)).toHaveValue(/^so \p{Extended_Pictographic}\uFE0F? $/u);
});

test('Enter sends what was typed, whether the emoji are loaded or not', async ({ page }) => {
  const backend = await open(page);
  await page.route(/emoji-set/, (route) => route.abort());
  for (const loaded of [false, true]) {
    if (loaded) await page.unroute(/emoji-set/);
    for (const typed of ['well :-D', 'at :30', ':10', ':so', 'call `a[:so', 'is :heart']) {
      await composer(page).pressSequentially(typed);
      if (loaded && /:so$|:heart$/.test(typed) && !typed.includes('`'))
        await expect(page.getByRole('listbox', { name: 'Emoji' })).toBeVisible();
      await page.keyboard.press('Enter');
      await expect.poll(() => backend.sends.at(-1)?.body).toBe(typed);
      await expect(composer(page)).toHaveValue('');
    }
    await composer(page).pressSequentially('a :tada: b :100: `:tada:` c');
    await page.keyboard.press('Enter');
    await expect.poll(() => backend.sends.at(-1)?.body).toBe('a 🎉 b :100: `:tada:` c');
  }
});

test('an Enter of the input method sends nothing, in Safari’s way neither, in no field', async ({ page }) => {
  const backend = await open(page);
  backend.sends = [];
  const cdp = await page.context().newCDPSession(page);
  /** As Safari does after compositionend: the key is Enter, its code says that the input method took it. */
  const enter = async () => {
    const key = { key: 'Enter', code: 'Enter', text: '\r', unmodifiedText: '\r' };
    await cdp.send('Input.dispatchKeyEvent', { type: 'keyDown', windowsVirtualKeyCode: 229, ...key });
    await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', windowsVirtualKeyCode: 229, ...key });
  };
  await composer(page).pressSequentially('nihao');
  await enter();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('ottla');
  await expect(page.getByRole('option').first()).toBeVisible();
  await enter();
  await expect(page.getByRole('option').first()).toBeVisible();
  await expect(page).toHaveURL(chatOf(milena));
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Emoji' }).click();
  await page.getByLabel('Find emoji').fill('party');
  await expect(page.getByRole('option').first()).toBeVisible();
  await enter();
  await expect(page.getByLabel('Find emoji')).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+,');
  await page.getByLabel('Name', { exact: true }).fill('Other');
  await enter();
  await page.getByLabel('Name', { exact: true }).press('End');
  expect(backend.me?.display_name).toBe(me.display_name);
  expect(backend.sends).toEqual([]);
  await page.getByLabel('Name', { exact: true }).press('Enter');
  await expect.poll(() => backend.me?.display_name).toBe('Other');

  // The fields of a room, and who comes along.
  await page.goto(`${ORIGIN}/rooms`);
  await page.getByRole('button', { name: 'New room' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'A new room' });
  await dialog.getByLabel('Name', { exact: true }).fill('Trams');
  await enter();
  await dialog.getByLabel('Topic').fill('Late ones');
  await enter();
  await dialog.getByLabel(/^Who comes along/).fill('ottla');
  await expect(dialog.getByRole('option', { name: 'Ottla' })).toBeVisible();
  await enter();
  await expect(dialog.getByRole('option', { name: 'Ottla' })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('button', { name: 'Leave out Ottla' })).toBeVisible();
  await expect(dialog.getByRole('alert')).toHaveCount(0);
  await dialog.getByLabel('Topic').press('Enter');
  await expect(dialog.getByRole('alert')).toBeVisible();
});

test('picks an emoji by searching, and remembers it', async ({ page }) => {
  await open(page);
  await composer(page).fill('ab');
  await composer(page).evaluate((area: HTMLTextAreaElement) => area.setSelectionRange(1, 1));
  await page.getByRole('button', { name: 'Emoji' }).click();
  const search = page.getByLabel('Find emoji');
  await expect(search).toBeFocused();
  await search.fill('party');
  await expect(page.getByRole('option').first()).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).toHaveValue(/^a\p{Extended_Pictographic}.*b$/u);
  await page.getByRole('button', { name: 'Emoji' }).click();
  await expect(page.getByText('Used lately')).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  const chosen = page.getByRole('option', { selected: true });
  await expect(chosen).toHaveAccessibleName('grinning face with big eyes');
  await page.keyboard.press('Escape');
  await expect(page.getByLabel('Find emoji')).toHaveCount(0);
  await expect(composer(page)).toBeFocused();
});

test('arrows move between messages, letters go back to writing', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ORIGIN });
  await open(page);
  await page.getByRole('log').focus();
  await page.keyboard.press('ArrowUp');
  await expect(bubble(page, 'Platform two')).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(bubble(page, 'See you at the station')).toBeFocused();
  await page.keyboard.press('Control+c');
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toBe('See you at the station on Saturday, then.');
  for (let i = 0; i < 11; i += 1) await page.keyboard.press('ArrowUp');
  await expect(bubble(page, 'Your letter came')).toBeFocused();
  await expect(bubble(page, 'Your letter came')).toBeInViewport();
  for (let i = 0; i < 12; i += 1) await page.keyboard.press('ArrowDown');
  await expect(bubble(page, 'Platform two')).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(composer(page)).toBeFocused();
  await page.getByRole('log').focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.type('yes');
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).toHaveValue('yes');
});

test('copies a link to a message; it opens there, whole in both directions', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ORIGIN });
  const backend = new FakeBackend(me);
  backend.people = [milena];
  for (let i = 1; i <= 400; i += 1)
    backend.add(milena, i % 3 === 0 ? me : milena, `letter ${i}.`, minutesAgo(2_000 - i * 4));
  backend.read(milena);
  await backend.attach(page);
  const meant = backend.thread(milena).messages[199]!;
  await page.goto(`${chatOf(milena)}/m/${meant.position}`);
  const message = bubble(page, 'letter 200.');
  await expect(message).toBeInViewport();
  expect(backend.pages[0]).toBe(`?limit=50&around=${meant.position}`);
  await expect(bubble(page, 'letter 400.')).toHaveCount(0);
  // While rows get their real sizes the list may still move away from under the pointer.
  await expect(async () => {
    await message.hover();
    await message.getByRole('button', { name: 'Copy link' }).click({ timeout: 500 });
  }).toPass();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toBe(`${chatOf(milena)}/m/${meant.position}`);

  const scrollTo = (text: string, step: number) =>
    expect(async () => {
      await page.mouse.wheel(0, step);
      await expect(bubble(page, text)).toBeInViewport({ timeout: 200 });
    }).toPass({ intervals: [50] });
  await scrollTo('letter 140.', -600);
  await scrollTo('letter 260.', 600);
  await scrollTo('letter 200.', -600);

  await page.getByRole('button', { name: 'Newest' }).click();
  await expect(bubble(page, 'letter 400.')).toBeInViewport();
  await expect(page).toHaveURL(chatOf(milena));

  // In a message it opens in this page.
  await composer(page).fill(`see ${link} again`);
  await page.keyboard.press('Enter');
  await bubble(page, 'again').getByRole('link').click();
  await expect(bubble(page, 'letter 200.')).toBeInViewport();
  await expect(page).toHaveURL(link);
  expect(context.pages()).toHaveLength(1);
});

test('a link to a message survives the login', async ({ page }) => {
  const backend = new FakeBackend(me);
  furnish(backend);
  backend.me = null;
  await backend.attach(page);
  const { position } = backend.thread(milena).messages[0]!;
  await page.goto(`${chatOf(milena)}/m/${position}`);
  await expect(page.getByLabel('Username')).toBeVisible();
  backend.me = me;
  await page.getByLabel('Username').fill('franz');
  await page.getByLabel('Password', { exact: true }).fill('correct horse');
  await page.keyboard.press('Enter');
  await expect(bubble(page, 'Your letter came')).toBeInViewport();
});

test('a tick when it is accepted, two when it is read', async ({ page }) => {
  const backend = await open(page);
  backend.answer = 'silence';
  await composer(page).fill('are you there?');
  await page.keyboard.press('Enter');
  const message = bubble(page, 'are you there?');
  await expect(message.getByRole('img', { name: 'Sending' })).toBeVisible();
  const { client_id } = backend.sends[0]!;
  const position = 9_999;
  backend.emit({
    type: 'accepted',
    client_id,
    id: 'm-1',
    conversation: idOf(milena),
    position,
    sent_at: new Date().toISOString(),
  });
  await expect(message.getByRole('img', { name: 'Sent', exact: true })).toBeVisible();
  backend.emit({ type: 'seen', conversation: idOf(milena), position: position - 1 });
  await expect(bubble(page, 'as you asked').getByRole('img', { name: 'Read' })).toBeVisible();
  await expect(message.getByRole('img', { name: 'Sent', exact: true })).toBeVisible();
  backend.emit({ type: 'seen', conversation: idOf(milena), position });
  await expect(message.getByRole('img', { name: 'Read' })).toBeVisible();
});

test('“Today” becomes “Yesterday” at midnight, on a page that stays open', async ({ page }) => {
  // In Prague, where the browser of these tests is.
  await page.clock.install({ time: new Date('2026-11-21T23:59:00+01:00') });
  const backend = new FakeBackend(me);
  backend.people = [milena];
  backend.add(milena, milena, 'late at night', new Date('2026-11-21T23:30:00+01:00'));
  await backend.attach(page);
  await page.goto(chatOf(milena));
  const row = page.getByRole('navigation', { name: 'Conversations' }).getByRole('link', { name: 'Milena' });
  await expect(page.getByText('Today')).toBeVisible();
  await expect(row.locator('time')).toHaveText('23:30');
  // A jump, as after a sleep: run second by second, the line's ping would be late for its answer, which comes
  // by the real clock, and the page would be connecting again when the next message is told.
  await page.clock.fastForward('01:00');
  await expect(page.getByRole('log').getByText('Yesterday')).toBeVisible();
  await expect(row.locator('time')).toHaveText('Yesterday');
  backend.deliver(milena, 'good morning', new Date('2026-11-22T00:00:00.500+01:00'));
  // The list shows a new row in a frame of its own, and frames come by the test's clock too.
  await expect(async () => {
    await page.clock.runFor(500);
    await expect(page.getByRole('log').getByText('Today')).toBeVisible({ timeout: 500 });
  }).toPass();
});
