// What people tell their system about themselves: that motion disturbs them, or that they need colours of
// their own.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { focusMark } from '../fake/layout';
import { chatOf, furnish, me, milena } from '../fake/people';

/** Longer than this is seen as movement. */
const MOVEMENT_MS = 20;

const moving = (page: Page) =>
  page.evaluate(
    (limit) =>
      document
        .getAnimations()
        .map((animation) => animation.effect?.getComputedTiming())
        .filter(
          (timing) => Number(timing?.duration) * Number(timing?.iterations) + Number(timing?.delay) > limit,
        ).length,
    MOVEMENT_MS,
  );

for (const reducedMotion of ['reduce', 'no-preference'] as const)
  test(`motion: ${reducedMotion}`, async ({ page }) => {
    await page.emulateMedia({ reducedMotion });
    const backend = new FakeBackend(me);
    furnish(backend);
    backend.held = /conversations$/;
    backend.answer = 'silence';
    await backend.attach(page);
    const seen: number[] = [];
    await page.goto(`${ORIGIN}/`);
    await expect(page.getByRole('status', { name: 'Loading conversations' })).toBeVisible();
    seen.push(await moving(page));
    backend.held = null;
    const meant = backend.thread(milena).messages[4]?.position ?? 0;
    await page.goto(`${chatOf(milena)}/m/${meant}`);
    await expect(page.getByTestId('message').first()).toBeVisible();
    seen.push(await moving(page));
    await page.getByLabel(/^Message to/).fill('Just written');
    await page.keyboard.press('Enter');
    await expect(page.getByTestId('message').filter({ hasText: 'Just written' })).toBeVisible();
    seen.push(await moving(page));
    if (reducedMotion === 'reduce') expect(seen).toEqual([0, 0, 0]);
    else expect(Math.min(...seen)).toBeGreaterThan(0);
  });

test('forced colours: the focus, the ticks and what is chosen are still to be seen', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  const backend = new FakeBackend(me);
  furnish(backend);
  await backend.attach(page);
  await page.goto(chatOf(milena));
  await expect(page.getByTestId('message').last()).toBeVisible();
  for (let stop = 0; stop < 14; stop += 1) {
    await page.keyboard.press('Tab');
    // Between the last element and the first, the focus is with the browser itself.
    if (await page.evaluate(() => document.activeElement === document.body)) continue;
    const { name, marked } = await focusMark(page);
    expect(marked, name).toBe(true);
  }
  await page.screenshot({ path: 'test-results/screens/forced-colors-chat.png' });
  const tick = page.getByRole('img', { name: 'Sent' }).last();
  expect(await contrast(page, tick.locator('svg'), 'stroke')).toBeGreaterThan(3);
  const bubble = page.getByTestId('message').last();
  expect(await contrast(page, bubble, 'borderTopColor')).toBeGreaterThan(3);
  await page.goto(`${ORIGIN}/settings`);
  const sound = page.getByRole('switch', { name: 'A sound' });
  for (const state of ['off', 'on']) {
    const thumb = await sound.evaluate((element) => getComputedStyle(element, '::after').backgroundColor);
    const track = await sound.evaluate((element) => getComputedStyle(element).backgroundColor);
    expect(ratio(thumb, track), state).toBeGreaterThan(3);
    await sound.click();
  }
  await page.screenshot({ path: 'test-results/screens/forced-colors-settings.png' });
});

/** Of one colour of an element against the page, as what is forced draws it. */
async function contrast(
  page: Page,
  element: ReturnType<Page['locator']>,
  property: 'stroke' | 'borderTopColor',
) {
  const drawn = await element.evaluate((found, name) => getComputedStyle(found)[name], property);
  const canvas = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  return ratio(drawn, canvas);
}

function ratio(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
