// What becomes of messages on the page: answers, edits, deletions, reactions, pins and names, in both themes
// and widths, by pointer, finger and keyboard.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { kept } from '../fake/kept';
import { look } from '../fake/look';
import { chatOf, furnish, max, me, milena, minutesAgo } from '../fake/people';

const bubble = (page: Page, text: string) => page.getByTestId('message').filter({ hasText: text });
const composer = (page: Page) => page.getByRole('textbox', { name: /^(Message to|Edit your)/ });

async function open(page: Page): Promise<FakeBackend> {
  const backend = new FakeBackend(me);
  backend.life = true;
  furnish(backend);
  await backend.attach(page);
  await page.goto(chatOf(milena));
  await expect(bubble(page, 'missing gloves')).toBeVisible();
  return backend;
}

/** Everything that can become of messages, in one conversation. */
function lived(backend: FakeBackend): void {
  const say = (who: typeof me, minutes: number, body: string, change = {}) =>
    Object.assign(backend.add(milena, who, body, minutesAgo(minutes)), change);
  const asked = say(
    milena,
    2,
    'Which platform was it, and when? I have lost the note with all of it, again.',
  );
  const reply_to = { position: asked.position, id: asked.id };
  say(me, 2, 'Two, at *half past nine*.', { reply_to, edited: 1, changed: 1 });
  say(milena, 1, `<@${me.id}>, you are my timetable. Is <@${max.id}> coming?`, {
    mentions: [me.id, max.id],
    reply_to,
    reactions: [
      { emoji: '😄', count: 1, mine: true, users: [me.id] },
      { emoji: '❤️', count: 12, mine: false, users: [max.id, milena.id] },
    ],
  });
  say(milena, 1, '', { deleted: { position: 1, by: milena.id }, changed: 1 });
  say(me, 1, 'He is.', {
    reactions: [{ emoji: '🎉', count: 1, mine: false, users: [milena.id] }],
    pinned: 5,
  });
  say(me, 1, '', { deleted: { position: 1, by: me.id }, changed: 1 });
  backend.read(milena);
}

for (const [colorScheme, width, height] of [
  ['light', 1280, 800],
  ['dark', 1280, 800],
  ['light', 390, 844],
  ['dark', 390, 844],
] as const)
  test.describe(`${colorScheme} ${width}`, () => {
    test.use({ colorScheme, viewport: { width, height } });

    test('looks like the rest of the page', async ({ page }) => {
      const backend = new FakeBackend(me);
      backend.life = true;
      furnish(backend);
      lived(backend);
      backend.thread(max).conversation.mentions = 2;
      backend.thread(max).conversation.unread = 5;
      await backend.attach(page);
      await page.goto(chatOf(milena));
      await expect(page.getByTestId('deleted').first()).toBeVisible();
      await expect(bubble(page, 'He is.').getByRole('img', { name: 'Pinned' })).toBeVisible();
      await look(page, 'life');
      const message = bubble(page, 'you are my timetable');
      if (width < 800) await message.focus();
      else await message.hover();
      await page.screenshot({ path: `test-results/screens/life-bar-${width}-${colorScheme}.png` });
      if (width < 800) await message.getByRole('button', { name: 'Actions' }).click();
      else await message.getByRole('button', { name: 'More actions' }).click();
      await look(page, 'life-sheet');
      await page.getByRole('button', { name: 'More emoji' }).click();
      await expect(page.getByRole('combobox', { name: 'Find emoji' })).toBeVisible();
      await look(page, 'life-emoji');
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toHaveCount(0);
      await composer(page).focus();
      await page.keyboard.press('ArrowUp');
      await expect(page.getByTestId('writing')).toContainText('Editing your message');
      await look(page, 'life-edit');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Pinned messages' }).click();
      await expect(page.getByRole('complementary', { name: 'Pinned messages' })).toContainText('He is.');
      await look(page, 'life-pins');
      await page.getByRole('button', { name: 'Close' }).click();
      backend.answer = { code: 'deleted', message: 'gone', temporary: false };
      await page.getByRole('button', { name: /^❤️ 12/ }).click();
      await expect(page.getByTestId('failed-deed')).toContainText('The message was deleted meanwhile.');
      await look(page, 'life-refused');
    });
  });

test('a list of pins that may miss the newest is asked for again', async ({ page }) => {
  const backend = new FakeBackend(me);
  backend.life = true;
  furnish(backend);
  lived(backend);
  backend.pinsLate = 1;
  await backend.attach(page);
  await page.goto(chatOf(milena));
  await page.getByRole('button', { name: 'Pinned messages' }).click();
  await expect(page.getByRole('complementary', { name: 'Pinned messages' })).toContainText('He is.');
  expect(backend.pinsLate).toBe(-1);
});

test('by keyboard alone: react, answer, edit, pin and delete', async ({ page }) => {
  const backend = await open(page);
  const said = page.getByTestId('settled');
  await composer(page).press('Shift+Tab');
  await page.getByRole('log').focus();
  await page.keyboard.press('ArrowUp');
  await expect(bubble(page, 'missing gloves')).toBeFocused();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: '👍' }).press('Enter');
  const chip = page.getByRole('button', { name: '👍 1: You' });
  await expect(chip).toHaveAttribute('aria-pressed', 'true');
  await expect(said).toHaveText('Reacted with 👍');
  await expect(bubble(page, 'missing gloves')).toBeFocused();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Reply' }).press('Enter');
  await expect(composer(page)).toBeFocused();
  await expect(page.getByTestId('writing')).toContainText('AnsweringMilena Jesenská');
  await page.keyboard.type('Which gloves?');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('writing')).toHaveCount(0);
  await expect(bubble(page, 'Which gloves?').getByTitle('Show this message')).toContainText('missing gloves');
  expect(backend.sends.at(-1)?.reply_to?.position).toBe(backend.thread(milena).messages.at(-2)?.position);

  await page.keyboard.press('ArrowUp');
  await expect(composer(page)).toHaveValue('Which gloves?');
  await page.keyboard.press('Escape');
  await expect(composer(page)).toHaveValue('');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.type(' The green ones?');
  await page.keyboard.press('Enter');
  await expect(bubble(page, 'Which gloves? The green ones?')).toContainText('(edited)');
  await expect(said).toHaveText('Message edited');
  await expect(composer(page)).toBeFocused();

  await page.getByRole('log').focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Pin', exact: true }).press('Enter');
  await expect(page.getByTestId('quiet-line').last()).toContainText('You pinned a message');
  await expect(said).toHaveText('Message pinned');
  await page.getByRole('log').focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Delete…' }).press('Enter');
  await page
    .getByRole('dialog', { name: 'Delete this message?' })
    .getByRole('button', { name: 'Delete' })
    .press('Enter');
  await expect(page.getByTestId('deleted')).toBeVisible();
  await expect(page.getByText('Which gloves?')).toHaveCount(0);
  expect(backend.deeds.map(({ type }) => type)).toEqual(['react', 'edit', 'pin', 'delete']);
});

test('what others do shows at once, in the list too, and no words of a deleted message stay', async ({
  page,
}) => {
  const backend = await open(page);
  const message = backend.thread(milena).messages.at(-1)!;
  const row = page.getByRole('navigation', { name: 'Conversations' }).getByRole('link', { name: /Milena/ });
  const by = milena.id;
  backend.change(milena, message, (at, target) => ({
    kind: 'reacted',
    at,
    target,
    by,
    emoji: '🎉',
    on: true,
  }));
  await expect(page.getByRole('button', { name: '🎉 1: Milena Jesenská' })).toBeVisible();
  backend.change(milena, message, (at, target) => ({
    kind: 'edited',
    at,
    target,
    by,
    body: 'Platform three!',
  }));
  await expect(bubble(page, 'Platform three!')).toContainText('(edited)');
  await expect(row).toContainText('Platform three!');
  await bubble(page, 'Platform three!').hover();
  await bubble(page, 'Platform three!').getByRole('button', { name: 'Reply' }).click();
  await expect(page.getByTestId('writing')).toContainText('Platform three!');
  backend.change(milena, message, (at, target) => ({ kind: 'deleted', at, target, by }));
  await expect(page.getByTestId('deleted')).toHaveText('This message was deleted.');
  await expect(row).toContainText('This message was deleted.');
  await expect(page.getByTestId('writing')).toContainText('This message was deleted.');
  expect(await kept(page)).not.toContain('Platform three');
});

test('a quote leads to what it answers, loads it where it is far away, and there is a way back', async ({
  page,
}) => {
  const backend = new FakeBackend(me);
  backend.life = true;
  furnish(backend);
  const first = backend.add(max, max, 'The very first question of all', minutesAgo(4_000));
  for (let n = 0; n < 150; n += 1)
    backend.add(max, n % 2 ? max : me, `in between ${n}`, minutesAgo(3_000 - n));
  const reply_to = { position: first.position, id: first.id };
  Object.assign(backend.add(max, max, 'The late answer', minutesAgo(1)), { reply_to });
  backend.read(max);
  await backend.attach(page);
  await page.goto(chatOf(max));
  const quote = bubble(page, 'The late answer').getByTitle('Show this message');
  await expect(quote).toContainText('The very first question');
  await quote.click();
  await expect(bubble(page, 'The very first question')).toBeInViewport();
  await page.getByRole('button', { name: 'Back to the answer' }).click();
  await expect(bubble(page, 'The late answer')).toBeInViewport();
});

test('names are completed, sent as people, and the line waits for the connection in its order', async ({
  page,
}) => {
  const backend = await open(page);
  await composer(page).pressSequentially('hello @mil');
  await expect(page.getByRole('option', { name: /Milena Jesenská/ })).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(composer(page)).toHaveValue('hello @milena ');
  backend.up = false;
  await backend.drop();
  await page.keyboard.press('Enter');
  await bubble(page, 'missing gloves').hover();
  await bubble(page, 'missing gloves').getByRole('button', { name: 'React' }).click();
  await page.getByRole('button', { name: '❤️' }).click();
  await expect(page.getByRole('button', { name: '❤️ 1: You' })).toBeVisible();
  await page.reload().catch(() => undefined);
  backend.up = true;
  await page.goto(`${ORIGIN}/`);
  await expect.poll(() => backend.deeds.length, { timeout: 30_000 }).toBe(1);
  expect(backend.sends.at(-1)?.body).toBe(`hello <@${milena.id}>`);
  expect(backend.sends.at(-1)?.mentions).toEqual([milena.id]);
  await page.goto(chatOf(milena));
  await expect(bubble(page, 'hello').getByTestId('mention')).toHaveText('@Milena Jesenská');
});
