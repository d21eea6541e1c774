// What one does not notice while it works: the place that is kept, the way back, the room for a finger, what
// a paste does.
import { expect, test } from '@playwright/test';
import type { Locator, Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { look } from '../fake/look';
import { chatOf, furnish, me, milena, minutesAgo } from '../fake/people';

const PHONE = { width: 390, height: 844 };
const composer = (page: Page) => page.getByLabel('Message to Milena');
const log = (page: Page) => page.getByRole('log');

async function open(page: Page, count = 0): Promise<FakeBackend> {
  const backend = new FakeBackend({ ...me });
  furnish(backend);
  for (let i = 1; i <= count; i += 1)
    backend.add(milena, i % 3 === 0 ? me : milena, `#${i} ${'and so on '.repeat(i % 17)}`, minutesAgo(2));
  backend.read(milena);
  await backend.attach(page);
  await page.goto(chatOf(milena));
  await expect(page.getByTestId('message').last()).toBeInViewport();
  return backend;
}

const box = async (of: Locator) => {
  const found = await of.boundingBox({ timeout: 5_000 });
  if (found === null) throw new Error(`${of.toString()} is not shown, so it stands nowhere`);
  return found;
};

test('a draft that comes back has the caret at its end', async ({ page }) => {
  await open(page);
  await composer(page).pressSequentially('half a sent');
  await page.getByRole('link', { name: /Ottla/ }).click();
  await page.getByRole('link', { name: /Milena/ }).click();
  await expect(composer(page)).toBeFocused();
  await page.keyboard.type('ence');
  await expect(composer(page)).toHaveValue('half a sentence');
});

test('the place is kept over the settings, and the day of it floats above while one scrolls', async ({
  page,
}) => {
  await open(page, 150);
  await log(page).hover();
  for (let turn = 0; turn < 4; turn += 1) {
    await page.mouse.wheel(0, -400);
    await page.waitForTimeout(60);
  }
  await expect(page.getByTestId('floating-day')).toHaveText('Today');
  await look(page, 'floating-day');
  await expect(page.getByTestId('floating-day')).toHaveCount(0);
  const key = await log(page).evaluate((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    const rows = Array.from(element.querySelectorAll<HTMLElement>('[data-key]'));
    return rows.find((row) => row.getBoundingClientRect().bottom > (top + bottom) / 2)?.dataset.key ?? '';
  });
  const row = page.locator(`[data-key="${key}"]`);
  const before = await box(row);
  for (const way of ['settings', 'another one']) {
    if (way === 'settings') await page.keyboard.press('Control+,');
    else await page.getByRole('link', { name: /Ottla/ }).click();
    await expect(row).toHaveCount(0);
    if (way === 'settings') await page.goBack();
    else await page.getByRole('link', { name: /Milena/ }).click();
    await expect(row).toBeInViewport();
    await page.waitForTimeout(500);
    expect(Math.abs((await box(row)).y - before.y), way).toBeLessThanOrEqual(1);
  }
});

test('a message says which of how many it is, and so does a conversation', async ({ page }) => {
  const backend = await open(page);
  const all = page.getByTestId('message');
  const count = backend.thread(milena).messages.length;
  await expect(all.last()).toHaveAttribute('aria-posinset', String(count));
  await expect(all.last()).toHaveAttribute('aria-setsize', String(count));
  const item = page.getByRole('listitem').first();
  await expect(item).toHaveAttribute('aria-posinset', '1');
  await expect(item).toHaveAttribute('aria-setsize', '6');
});

test('a paste of 300 KB is refused at once, one of a few messages is not', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ORIGIN });
  await open(page);
  await composer(page).pressSequentially('kept');
  for (const words of [17_000, 2_000]) {
    await page.evaluate((count) => navigator.clipboard.writeText('lorem ipsum dolor '.repeat(count)), words);
    const start = Date.now();
    await page.keyboard.press('Control+v');
    if (words === 17_000) {
      await expect(page.getByText('306000 characters are too many to take')).toBeVisible();
      await expect(composer(page)).toHaveValue('kept');
    } else await expect(page.getByText('28003 characters too long')).toBeVisible();
    await page.keyboard.type('abc');
    const ms = Date.now() - start;
    process.stdout.write(`    pasting ${words * 18} characters and three keys: ${ms} ms\n`);
    expect(ms).toBeLessThan(4_000);
    await composer(page).fill('kept');
  }
});

test('what is dropped is refused like what is pasted', async ({ page }) => {
  await open(page);
  await composer(page).fill('kept');
  const drop = (count: number) =>
    composer(page).evaluate((area, words) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.setData('text/plain', 'lorem ipsum dolor '.repeat(words));
      return area.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    }, count);
  expect(await drop(2_000), 'left to the browser').toBe(true);
  expect(await drop(17_000), 'left to the browser').toBe(false);
  await expect(page.getByText('306000 characters are too many to take')).toBeVisible();
  await expect(composer(page)).toHaveValue('kept');
});

test('a picture that is pasted or dropped is answered, and the page stays', async ({ page }) => {
  await open(page);
  const note = page.getByText('Pictures and other files cannot be sent yet.');
  for (const way of ['paste', 'drop'] as const) {
    await composer(page).evaluate((area, kind) => {
      const data = new DataTransfer();
      data.items.add(new File(['x'], 'a.png', { type: 'image/png' }));
      const init = { bubbles: true, cancelable: true };
      area.dispatchEvent(
        kind === 'paste'
          ? new ClipboardEvent('paste', { ...init, clipboardData: data })
          : new DragEvent('drop', { ...init, dataTransfer: data }),
      );
    }, way);
    await expect(note).toBeVisible();
    if (way === 'paste') await look(page, 'pasted-picture');
    await composer(page).pressSequentially('a');
    await expect(note).toHaveCount(0);
  }
});

test('the actions beside a message cover neither its words nor its time', async ({ page }) => {
  await open(page);
  for (const width of [1280, 820, 390]) {
    await page.setViewportSize({ width, height: 800 });
    for (const text of ['See you at the station', 'Donaudampf', 'It says nothing about trams']) {
      const bubble = page.getByTestId('message').filter({ hasText: text });
      await bubble.scrollIntoViewIfNeeded();
      const actions = bubble.getByRole('button', { name: width < 800 ? 'Actions' : 'Copy text' });
      let bar = { x: 0, y: 0, width: 0, height: 0 };
      // Where they stand is asked with it: what scrolls away below the pointer takes them along.
      await expect(async () => {
        await page.mouse.move(1, 1);
        await bubble.hover();
        await expect(actions).toBeVisible({ timeout: 500 });
        bar = await box(actions);
      }).toPass();
      const words = await box(bubble);
      expect(bar.x >= words.x + words.width || bar.x + bar.width <= words.x, `${text} at ${width}`).toBe(
        true,
      );
      expect(bar.x, `${text} at ${width}`).toBeGreaterThanOrEqual(0);
      expect(bar.x + bar.width, `${text} at ${width}`).toBeLessThanOrEqual(width);
      // The pointer gets there.
      await actions.hover();
      await expect(actions).toBeVisible();
    }
  }
});

test.describe('on a phone', () => {
  test.use({ viewport: PHONE, hasTouch: true, isMobile: true });

  test('Back closes what is open first', async ({ page }) => {
    await page.goto('about:blank');
    await open(page);
    const picker = page.getByRole('dialog', { name: 'Emoji' });
    for (const way of ['back', 'its button', 'back again']) {
      await page.getByRole('button', { name: 'Emoji' }).tap();
      await expect(picker).toBeVisible();
      await expect.poll(() => page.evaluate(() => history.state as unknown)).not.toBeNull();
      if (way === 'back') await look(page, 'emoji-phone');
      if (way === 'its button') await page.getByRole('button', { name: 'Emoji' }).tap();
      else await page.goBack();
      await expect(picker).toHaveCount(0);
      await expect(page).toHaveURL(chatOf(milena));
      await expect.poll(() => page.evaluate(() => history.state as unknown)).toBeNull();
    }
  });

  test('Back and the page’s own steps back are told apart, also after a reload', async ({ page }) => {
    await page.goto('about:blank');
    await open(page);
    const state = () => page.evaluate(() => history.state as { layer: number } | null);
    const shortcuts = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await page.goto(ORIGIN);
    await page.getByRole('button', { name: 'Your menu' }).tap();
    await expect.poll(state).not.toBeNull();
    const menu = await state();
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).tap();
    await expect.poll(async () => ![undefined, menu?.layer].includes((await state())?.layer)).toBe(true);
    await expect(shortcuts).toBeVisible();
    await page.reload();
    // The layers are gone, and so are their entries.
    await expect.poll(state).toBeNull();
    for (const way of ['back', 'its button']) {
      await page.getByRole('button', { name: 'Your menu' }).tap();
      const item = page.getByRole('button', { name: 'Log out' });
      await expect(item).toBeVisible();
      await expect.poll(async () => (await state())?.layer).toBeDefined();
      if (way === 'back') await page.goBack();
      else await page.getByRole('button', { name: 'Your menu' }).tap();
      await expect(item).toHaveCount(0);
      await expect.poll(state).toBeNull();
    }
    await page.goBack();
    await expect(page).toHaveURL(chatOf(milena));
  });

  test('text is copied over plain http, and it is said when it is not', async ({ page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ORIGIN });
    // As where the connection is not secure.
    await page.addInitScript(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    await open(page);
    const bubble = page.getByTestId('message').filter({ hasText: 'See you at the station' });
    const sheet = page.getByRole('dialog', { name: 'Message' });
    await bubble.tap();
    await bubble.getByRole('button', { name: 'Actions' }).tap();
    const copy = sheet.getByRole('button', { name: 'Copy text' });
    await page.evaluate(() =>
      Object.defineProperty(document, 'execCommand', { value: () => false, configurable: true }),
    );
    await copy.tap();
    await expect(sheet.getByRole('alert')).toHaveText('Not copied: the browser refused.');
    await page.evaluate(() => Reflect.deleteProperty(document, 'execCommand'));
    await copy.tap();
    await expect(sheet).toHaveCount(0);
    await composer(page).focus();
    await page.keyboard.press('Control+v');
    await expect(composer(page)).toHaveValue(/See you at the station/);
  });

  test('a word that the keyboard composes is completed; what nobody sees is not sent', async ({ page }) => {
    const backend = await open(page);
    backend.sends = [];
    const cdp = await page.context().newCDPSession(page);
    const compose = (text: string) =>
      cdp.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
    await composer(page).focus();
    await compose(':smi');
    await expect(page.getByRole('option').first()).toBeVisible();
    await compose(':smile:');
    await expect(composer(page)).toHaveValue(':smile:');
    await cdp.send('Input.insertText', { text: ':smile:' });
    await expect(composer(page)).toHaveValue('😄');
    for (const text of ['\u200b', '\u3164', '\u2800 \n']) {
      await composer(page).fill(text);
      await expect(page.getByRole('button', { name: 'Send' })).toBeDisabled();
    }
    expect(backend.sends).toEqual([]);
  });

  test('a finger that rests on a message opens what can be done with it', async ({ page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ORIGIN });
    await open(page);
    const bubble = page.getByTestId('message').filter({ hasText: 'See you at the station' });
    // The list comes to rest first.
    await bubble.click({ trial: true });
    const { x, y } = await box(bubble);
    const cdp = await context.newCDPSession(page);
    const touchPoints = [{ x: x + 20, y: y + 12 }];
    await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints });
    const sheet = page.getByRole('dialog', { name: 'Message' });
    await expect(sheet).toBeVisible();
    await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await expect(sheet).toBeVisible();
    await look(page, 'message-sheet');
    await page.goBack();
    await expect(sheet).toHaveCount(0);
    await expect(page).toHaveURL(chatOf(milena));
    await bubble.tap();
    await bubble.getByRole('button', { name: 'Actions' }).tap();
    await sheet.getByRole('button', { name: 'Copy text' }).tap();
    await expect(sheet).toHaveCount(0);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('See you at the station');
  });
});
