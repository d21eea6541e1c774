// A picture of a view in its state, to look at (test-results/screens), and all that a program can judge of
// it.
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { cutTexts, excessWidth, smallTargets } from './layout';

/** Narrower than this there is one pane, and fingers. */
const TWO_PANES_PX = 800;

export async function look(page: Page, name: string): Promise<void> {
  const { width, theme } = await page.evaluate(() => ({
    width: window.innerWidth,
    theme: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light',
  }));
  await page.screenshot({
    path: `test-results/screens/${name}-${width}-${theme}.png`,
    animations: 'disabled',
  });
  expect.soft(await excessWidth(page), `${name}: wider than the screen`).toBeLessThanOrEqual(0);
  expect.soft(await cutTexts(page), `${name}: cut off`).toEqual([]);
  if (width < TWO_PANES_PX) expect.soft(await smallTargets(page), `${name}: too small to press`).toEqual([]);
  expect.soft(await violations(page), name).toEqual([]);
}

const LOOKS = [
  { colorScheme: 'light', width: 1280, height: 800 },
  { colorScheme: 'dark', width: 1280, height: 800 },
  { colorScheme: 'dark', width: 390, height: 844 },
  { colorScheme: 'light', width: 390, height: 844 },
] as const;

/** What looking at one picture may take: it is not the test's own time. */
const LOOK_MS = 10_000;

/** The same at both widths and in both themes; afterwards the page is as it was. */
export async function looks(page: Page, name: string): Promise<void> {
  test.setTimeout(test.info().timeout + LOOKS.length * LOOK_MS);
  const before = page.viewportSize();
  for (const { colorScheme, width, height } of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    await look(page, name);
  }
  await page.emulateMedia({ colorScheme: null });
  if (before) await page.setViewportSize(before);
}

/** What a checker finds, whatever its impact. */
export async function violations(page: Page): Promise<string[]> {
  // Without it each look opens a page of its own to put together what frames say: three times as slow, and
  // there are no frames.
  const checker = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
  const { violations: found } = await checker.analyze();
  return found.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, any }) => `${impact ?? ''} ${id}: ${html.slice(0, 160)} ${any[0]?.message ?? ''}`),
  );
}
