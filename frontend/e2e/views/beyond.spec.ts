// What goes beyond the rows in view: copying over many messages, and printing.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { chatOf, me, milena, minutesAgo } from '../fake/people';

async function open(page: Page, count: number): Promise<FakeBackend> {
  const backend = new FakeBackend(me);
  backend.people = [milena];
  for (let i = 1; i <= count; i += 1)
    backend.add(milena, i % 3 === 0 ? me : milena, `**letter** ${i}.\nmore`, minutesAgo(2_000 - i * 4));
  backend.read(milena);
  await backend.attach(page);
  await page.goto(chatOf(milena));
  await expect(page.getByTestId('message').last()).toContainText(`letter ${count}.`);
  return backend;
}

const row = (page: Page, text: string) => page.getByTestId('message').filter({ hasText: text });

test('copies what lies between, also what is not in the document', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: ORIGIN });
  await open(page, 48);
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  // From the last one up to the first, while the rows in between come and go.
  const end = (await row(page, 'letter 48.').locator('strong').boundingBox())!;
  await page.mouse.move(end.x + end.width / 2, end.y + end.height / 2);
  await page.mouse.down();
  await page.mouse.move(end.x + 10, end.y - 90, { steps: 10 });
  await expect(async () => {
    await page.mouse.wheel(0, -700);
    await expect(row(page, 'letter 2.')).toBeInViewport({ timeout: 200 });
  }).toPass({ intervals: [50] });
  const start = (await row(page, 'letter 2.').locator('strong').boundingBox())!;
  await page.mouse.move(start.x + 3, start.y + 6, { steps: 6 });
  await page.mouse.up();
  expect(await page.getByTestId('message').count()).toBeLessThan(46);
  await page.keyboard.press('Control+c');
  await expect.poll(copied).toContain('letter** 48.');
  const lines = (await copied()).split(/\n(?=\S+.*, \d+ \w+ \d{4},? \d\d:\d\d: )/);
  expect(lines).toHaveLength(47);
  lines.forEach((line, index) => {
    const who = (index + 2) % 3 === 0 ? 'Franz' : 'Milena Jesenská';
    expect(line).toMatch(
      new RegExp(`^${who}, \\d+ \\w+ \\d{4},? \\d\\d:\\d\\d: \\*\\*letter\\*\\* ${index + 2}\\.\\nmore$`),
    );
  });
});

test('prints the whole conversation that is loaded, and nothing else', async ({ page }) => {
  await open(page, 48);
  expect(await page.getByTestId('message').count()).toBeLessThan(48);
  await page.emulateMedia({ media: 'print' });
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  await expect(page.getByTestId('message')).toHaveCount(48);
  const places = await page.getByTestId('message').evaluateAll((elements) =>
    elements.map((element) => {
      const { top, bottom, height } = element.getBoundingClientRect();
      return { top, bottom, height, visible: element.checkVisibility({ visibilityProperty: true }) };
    }),
  );
  places.forEach(({ top, height, visible }, index) => {
    expect(visible).toBe(true);
    expect(height).toBeGreaterThan(20);
    expect(top).toBeGreaterThanOrEqual(places[index - 1]?.bottom ?? 0);
  });
  // The page is as long as they are: none is cut off.
  const length = await page.evaluate(() => document.documentElement.scrollHeight);
  expect(length).toBeGreaterThanOrEqual(places.at(-1)!.bottom);
  await expect(page.getByRole('navigation', { name: 'Conversations' })).toBeHidden();
  await expect(page.getByLabel('Message to Milena')).toBeHidden();
  await page.emulateMedia({ media: 'screen' });
  await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
  await expect(row(page, 'letter 48.')).toBeInViewport();
});
