// A picture of a view in its state, to look at (test-results/screens), and all that a program can judge of
// it.
import AxeBuilder from '@axe-core/playwright';
import { expect } from '@playwright/test';
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

/** What a checker finds, whatever its impact. */
export async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, any }) => `${impact ?? ''} ${id}: ${html.slice(0, 160)} ${any[0]?.message ?? ''}`),
  );
}
