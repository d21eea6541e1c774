// What is told of messages beside their words: who reacted and who has read them, what they said before, what
// names one in all conversations, and who was named and is not in the room. In both themes and widths, by
// pointer, finger and keyboard.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import type { Thread } from '../fake/fake-backend';
import { kept } from '../fake/kept';
import { look, looks } from '../fake/look';
import { furnish, layla, max, me, mei, milena, minutesAgo, ottla } from '../fake/people';

const bubble = (page: Page, text: string) => page.getByTestId('message').filter({ hasText: text });
const composer = (page: Page) => page.getByRole('textbox', { name: /^(Message to|Edit your)/ });
const settled = (page: Page) => page.getByTestId('settled');

/** A room in which something was said, in which Max is not. */
async function open(page: Page): Promise<{ backend: FakeBackend; room: Thread }> {
  const backend = new FakeBackend(me);
  backend.life = true;
  furnish(backend);
  const room = backend.room('Trams', [milena, ottla, mei]);
  backend.add(room, ottla, 'Who has the timetable of line 22?', minutesAgo(50));
  const asked = backend.add(
    room,
    milena,
    `<@${me.id}> had it, I think. Ask him, he never loses one.`,
    minutesAgo(48),
  );
  Object.assign(asked, {
    mentions: [me.id],
    reactions: [
      { emoji: '👍', count: 2, mine: true, users: [ottla.id, me.id] },
      { emoji: '❤️', count: 130, mine: false, users: [milena.id, ottla.id, mei.id, max.id, layla.id] },
    ],
  });
  const mine = backend.add(room, me, 'It is in my other coat. Half past nine, platform two.', minutesAgo(40));
  Object.assign(mine, { edited: mine.position + 1, changed: mine.position + 1 });
  backend.kept.edits.set(mine.id, [
    { position: mine.position, at: minutesAgo(40).toISOString(), body: 'It is in my coat.' },
    { position: mine.position + 1, at: minutesAgo(39).toISOString(), body: mine.body ?? '' },
  ]);
  backend.kept.readers.set(mine.id, [
    { user: milena.id, at: minutesAgo(38).toISOString() },
    { user: ottla.id, at: minutesAgo(30).toISOString() },
  ]);
  const own = { mentions: [me.id] };
  Object.assign(backend.add(max, max, `And **you**, <@${me.id}>, what did you burn?`, minutesAgo(20)), own);
  backend.read(room);
  await backend.attach(page);
  await page.goto(`${ORIGIN}/c/${room.conversation.id}`);
  await expect(bubble(page, 'my other coat')).toBeVisible();
  return { backend, room };
}

test('who reacted is shown by pointer and keyboard, and all of them in a sheet', async ({ page }) => {
  await open(page);
  const chip = page.getByRole('button', { name: /^❤️ 130/ });
  await chip.hover();
  const tip = page.getByRole('tooltip');
  await expect(tip).toContainText('Milena Jesenská, Ottla, 陈美玲');
  await expect(tip).toContainText('and 125 more');
  await look(page, 'reactors-tip');
  await page.mouse.move(0, 0);
  await expect(tip).toHaveCount(0);
  await page.getByRole('button', { name: /^👍 2/ }).focus();
  await page.keyboard.press('Tab');
  await expect(chip).toBeFocused();
  await expect(tip).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(tip).toHaveCount(0);
  await expect(chip).toBeFocused();

  await bubble(page, 'Ask him').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Who reacted' }).press('Enter');
  const sheet = page.getByRole('dialog', { name: 'Who reacted' });
  await expect(sheet.getByRole('listitem')).toHaveText([/Ottla/, /Franz · you/]);
  await sheet.getByRole('radio', { name: '👍 2' }).focus();
  await page.keyboard.press('ArrowRight');
  await expect(sheet.getByRole('listitem').first()).toContainText('Milena Jesenská');
  await looks(page, 'reactors');
  // As far as one scrolls.
  await sheet.getByRole('listitem').nth(49).scrollIntoViewIfNeeded();
  await expect.poll(() => sheet.getByRole('listitem').count()).toBeGreaterThan(99);
  await page.keyboard.press('Escape');
  await expect(bubble(page, 'Ask him')).toBeFocused();
});

test('when not all who reacted can be told, that is said, and asked for again', async ({ page }) => {
  await open(page);
  let whole = false;
  const some = { reactions: [{ user: ottla.id, emoji: '👍', position: 1 }], next: null, complete: false };
  await page.route(/\/reactions\?/, (route) => (whole ? route.fallback() : route.fulfill({ json: some })));
  await bubble(page, 'Ask him').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Who reacted' }).press('Enter');
  const sheet = page.getByRole('dialog', { name: 'Who reacted' });
  await expect(sheet).toContainText('Some may be missing just now.');
  await looks(page, 'reactors-incomplete');
  whole = true;
  await expect(sheet.getByRole('listitem')).toHaveText([/Ottla/, /Franz · you/]);
  await expect(sheet).not.toContainText('Some may be missing');
});

test('who has read it is counted below the newest message of one’s own, and told live', async ({ page }) => {
  const { backend, room } = await open(page);
  const { id } = room.conversation;
  const by = page.getByRole('button', { name: /^Read by/ });
  const mine = room.messages.at(-1)!;
  await expect(by).toHaveText('Read by 2');
  backend.emit({ type: 'seen', conversation: id, user: mei.id, position: mine.position });
  await expect(by).toHaveText('Read by all');
  backend.kept.readers.get(mine.id)!.push({ user: mei.id });
  // Somebody's place further up says nothing of it, nor does one's own.
  await by.press('Enter');
  const sheet = page.getByRole('dialog', { name: 'Read by' });
  await expect(sheet.getByRole('listitem')).toHaveText([/Milena/, /Ottla/, /陈美玲/]);
  await expect(sheet).toContainText('3 of 3 others.');
  await looks(page, 'readers');
  await page.keyboard.press('Escape');
  await expect(by).toBeFocused();
  await looks(page, 'room-read-by');
  await composer(page).fill('One more');
  await page.keyboard.press('Enter');
  await expect(bubble(page, 'One more').getByRole('button', { name: 'Sent' })).toBeVisible();
  await expect(by).toHaveCount(0);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Escape');
  await bubble(page, 'Who has the timetable').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Who has read it' }).press('Enter');
  await expect(sheet).toContainText('Nobody yet, of those who show it.');
});

test('what a message said before is for its author, where it is kept', async ({ page }) => {
  const { backend, room } = await open(page);
  await bubble(page, 'my other coat').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Earlier versions' }).press('Enter');
  const sheet = page.getByRole('dialog', { name: 'Earlier versions' });
  await expect(sheet.getByRole('listitem')).toHaveText([/Now, since.*other coat/s, /It is in my coat\./]);
  await looks(page, 'edits');
  // Nothing of its words stays when it is deleted meanwhile.
  backend.change(room, room.messages.at(-1)!, (at, target) => ({ kind: 'deleted', at, target, by: me.id }));
  await expect(sheet).toHaveCount(0);
  await expect(page.getByText('my coat')).toHaveCount(0);
});

test('how long one may edit is said, and then nothing offers it any more', async ({ page }) => {
  await page.clock.install({ time: new Date() });
  const backend = new FakeBackend(me);
  backend.life = true;
  backend.limits = { edit_limit_ms: 60 * 60_000 };
  furnish(backend);
  const room = backend.room('Trams', [milena]);
  backend.keepsEdits = false;
  const old = backend.add(room, me, 'Too old to be changed', minutesAgo(61));
  Object.assign(old, { edited: old.position + 1, changed: old.position + 1 });
  const last = backend.add(room, me, 'Young enough', new Date(Date.now() - 59 * 60_000));
  backend.read(room);
  await backend.attach(page);
  await page.goto(`${ORIGIN}/c/${room.conversation.id}`);
  await bubble(page, 'Young enough').focus();
  await page.keyboard.press('Enter');
  const edit = page.getByRole('dialog').getByRole('button', { name: 'Edit' });
  await expect(edit).toBeVisible();
  // The time is over while one looks.
  await page.clock.fastForward('01:01');
  await expect(edit).toHaveCount(0);
  await page.keyboard.press('Escape');
  await bubble(page, 'Too old').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Copy text' })).toBeVisible();
  await expect(edit).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Earlier versions' })).toHaveCount(0);
  await page.keyboard.press('Escape');
  await composer(page).focus();
  await page.keyboard.press('ArrowUp');
  await expect(page.getByTestId('writing')).toHaveCount(0);

  // Begun in time and saved too late: the words are not lost, and why is said.
  await composer(page).fill('Quick');
  await page.keyboard.press('Enter');
  await expect(bubble(page, 'Quick')).toHaveAttribute('data-state', 'accepted');
  await page.keyboard.press('ArrowUp');
  await expect(page.getByTestId('writing')).toContainText('Can be saved until');
  await look(page, 'edit-until');
  await page.keyboard.type('er');
  backend.answer = { code: 'edit_too_late', message: 'late', temporary: false };
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('failed-deed')).toContainText('It is too long ago');
  await expect(page.getByTestId('failed-deed').getByRole('button', { name: 'Copy' })).toBeVisible();
  expect(last.body).toBe('Young enough');
});

test('what names one is listed, grows, and loses what is deleted', async ({ page }) => {
  const { backend, room } = await open(page);
  const nav = page.getByRole('navigation', { name: 'Conversations' });
  await expect(nav.getByRole('link', { name: /Max Brod/ })).toBeVisible();
  await page.keyboard.press('Control+Shift+M');
  await expect(page).toHaveURL(`${ORIGIN}/mentions`);
  const list = page.getByRole('main').getByRole('listitem');
  await expect(list).toHaveCount(2);
  await expect(list.first()).toContainText('Max Brod');
  await expect(list.last()).toContainText('in Trams');
  const named = backend.deliver(room, `Is that you, <@${me.id}>?`, new Date(), ottla, { mentions: [me.id] });
  await expect(list.first()).toContainText('Is that you, @Franz?');
  await expect(list.first()).toContainText('New');
  await expect(page.getByRole('link', { name: 'Mentions, 1 unread' })).toBeVisible();
  await looks(page, 'mentions');
  backend.change(max, backend.thread(max).messages.at(-1)!, (at, target) => ({
    kind: 'deleted',
    at,
    target,
    by: max.id,
  }));
  await expect(list).toHaveCount(2);
  await expect(page.getByText('what did you burn')).toHaveCount(0);
  // An edit that names somebody else takes it away, too.
  backend.change(room, named, (at, target) => ({
    kind: 'edited',
    at,
    target,
    by: ottla.id,
    body: 'Is that him?',
  }));
  await expect(list).toHaveCount(1);
  await list.getByRole('link', { name: 'Show in conversation' }).focus();
  await page.keyboard.press('Enter');
  await expect(bubble(page, 'Ask him')).toBeInViewport();
  await page.setViewportSize({ width: 390, height: 800 });
  await page.getByRole('link', { name: 'Back to conversations' }).click();
  await page.getByRole('link', { name: 'Mentions' }).click();
  await expect(list).toHaveCount(1);
});

test('whoever is named and not in the room can be brought in', async ({ page }) => {
  const { backend, room } = await open(page);
  const note = page.getByTestId('absent');
  await composer(page).pressSequentially('Ask @max');
  await expect(page.getByRole('option', { name: /Max Brod.*not in this room/ })).toBeVisible();
  await look(page, 'mention-outside');
  await page.keyboard.press('Tab');
  await page.keyboard.type('please, @ottla');
  await page.keyboard.press('Enter');
  await expect(note).toContainText('Max Brod is not in this room, and is not told.');
  await looks(page, 'absent');
  await note.getByRole('button', { name: 'Not now' }).press('Enter');
  await expect(note).toHaveCount(0);
  await expect(composer(page)).toBeFocused();
  await composer(page).fill('Really, @max.brod');
  await page.keyboard.press('Enter');
  await note.getByRole('button', { name: 'Add to the room' }).press('Enter');
  await expect(note).toHaveCount(0);
  expect(backend.kept.members.get(room.conversation.id)).toContainEqual(max);
  await composer(page).fill('Welcome, @max.brod');
  await page.keyboard.press('Enter');
  await expect(bubble(page, 'Welcome')).toHaveAttribute('data-state', 'accepted');
  await expect(note).toHaveCount(0);
});

test('what others see of one’s reading is one’s own choice', async ({ page }) => {
  const backend = new FakeBackend({ ...me, show_receipts: true });
  backend.life = true;
  furnish(backend);
  await backend.attach(page);
  await page.goto(`${ORIGIN}/settings`);
  const choice = page.getByRole('switch', { name: 'Show others what I have read' });
  await expect(choice).toBeChecked();
  await choice.press('Space');
  await expect(choice).not.toBeChecked();
  await expect.poll(() => backend.me?.show_receipts).toBe(false);
  await page.reload();
  await expect(choice).not.toBeChecked();
  await choice.scrollIntoViewIfNeeded();
  await looks(page, 'settings-privacy');
  backend.broken = /\/me$/;
  await choice.press('Space');
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(choice).not.toBeChecked();
});

test('no words of a deleted message stay in quotes, pins, mentions, edits, drafts or what is unsent', async ({
  page,
}) => {
  const { backend, room } = await open(page);
  const { id } = room.conversation;
  const secret = backend.deliver(room, `The secret word is Oklahoma, <@${me.id}>`, new Date(), ottla, {
    mentions: [me.id],
    pinned: 9,
  });
  const own = room.messages.find(({ body }) => body?.includes('other coat'))!;
  await expect(bubble(page, 'Oklahoma')).toBeVisible();
  await page.keyboard.press('Control+Shift+M');
  await expect(page.getByRole('main').getByText('Oklahoma')).toBeVisible();
  await page.goto(`${ORIGIN}/c/${id}`);
  await page.getByRole('button', { name: 'Pinned messages' }).click();
  const pins = page.getByRole('complementary', { name: 'Pinned messages' });
  await expect(pins).toContainText('Oklahoma');
  // What is unsent refers to it, and waits.
  backend.answer = 'silence';
  await bubble(page, 'Oklahoma').hover();
  await bubble(page, 'Oklahoma').getByRole('button', { name: 'Reply' }).click();
  await composer(page).fill('Why that one?');
  await page.keyboard.press('Enter');
  await expect(bubble(page, 'Why that one?').getByTitle('Show this message')).toContainText('Oklahoma');
  await bubble(page, 'Oklahoma').first().hover();
  await bubble(page, 'Oklahoma').first().getByRole('button', { name: 'React' }).click();
  await page.getByRole('button', { name: '🎉' }).click();
  await expect(page.getByRole('button', { name: '🎉 1: You' })).toBeVisible();
  // An edit of one's own message is under way, with more words in it.
  await bubble(page, 'other coat').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'Edit' }).press('Enter');
  await expect(composer(page)).toHaveValue(/other coat/);
  await page.keyboard.type(' And the Oklahoma train?');
  expect((await kept(page)).match(/Oklahoma/g)!.length).toBeGreaterThan(4);

  backend.change(room, secret, (at, target) => ({ kind: 'deleted', at, target, by: ottla.id }));
  backend.change(room, own, (at, target) => ({ kind: 'deleted', at, target, by: milena.id }));
  await expect(page.getByTestId('deleted')).toHaveCount(2);
  await expect(composer(page)).toHaveValue('');
  await expect(pins).toContainText('Nothing is pinned here');
  const left = await kept(page);
  expect(left).not.toContain('Oklahoma');
  expect(left).not.toContain('other coat');
  await page.keyboard.press('Control+Shift+M');
  await expect(page.getByRole('main').getByText('what did you burn')).toBeVisible();
  expect(await kept(page)).not.toContain('Oklahoma');
  await page.reload();
  await expect(page.getByRole('main').getByText('what did you burn')).toBeVisible();
  expect(await kept(page)).not.toMatch(/Oklahoma|other coat/);
});

test.describe('by finger', () => {
  test.use({ viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true });

  test('one that rests on a reaction leads to who did it, and presses nothing', async ({ page }) => {
    const { backend } = await open(page);
    const chip = page.getByRole('button', { name: /^❤️ 130/ });
    const box = (await chip.boundingBox())!;
    const session = await page.context().newCDPSession(page);
    const touchPoints = [{ x: box.x + box.width / 2, y: box.y + box.height / 2 }];
    await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints });
    await expect(page.getByRole('dialog', { name: 'Who reacted' })).toBeVisible();
    await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await expect(page.getByRole('dialog', { name: 'Who reacted' })).toBeVisible();
    expect(backend.deeds).toEqual([]);
    await page.getByRole('button', { name: 'Close' }).click();
    await chip.tap();
    await expect(settled(page)).toHaveText('Reacted with ❤️');
  });
});
