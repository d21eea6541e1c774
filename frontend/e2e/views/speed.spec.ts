// How smooth the page stays under load, measured in Chromium: the time between frames is printed, and what is
// asserted is work, because the time depends on the machine: one change of the page for each frame, and rows
// that did not change are not touched.
import { expect, test } from '@playwright/test';
import type { Browser, Page } from '@playwright/test';

import { FakeBackend } from '../fake/fake-backend';
import { chatOf, me, milena, minutesAgo, ottla } from '../fake/people';

const HISTORY = 100_000;
const ARRIVING = 500;

/** Kept by the page itself. */
interface Watch {
  /** Milliseconds from one frame to the next. */
  frames: number[];
  /** Milliseconds of work without a break, where it was over 50. */
  longTasks: number[];
  /** How often the page changed. */
  commits: number;
  /** Changes inside of rows that were there before. */
  touched: number;
}

async function watch(page: Page): Promise<() => Promise<Watch>> {
  await page.evaluate(() => {
    const kept: Watch = { frames: [], longTasks: [], commits: 0, touched: 0 };
    Object.assign(window, { kept });
    let last = performance.now();
    const tick = (now: number) => {
      kept.frames.push(now - last);
      last = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) kept.longTasks.push(duration);
    }).observe({ type: 'longtask' });
    new MutationObserver((records) => {
      kept.commits += 1;
      const inRow = ({ target }: MutationRecord) =>
        (target instanceof Element ? target : target.parentElement)?.closest('[data-testid=message]');
      kept.touched += records.filter(inRow).length;
    }).observe(document.querySelector('main')!, {
      childList: true,
      subtree: true,
      characterData: true,
      attributes: true,
      attributeFilter: ['class', 'data-state', 'id'],
    });
  });
  return () => page.evaluate(() => (window as unknown as { kept: Watch }).kept);
}

function told({ frames, longTasks, commits, touched }: Watch): string {
  const sorted = frames.slice(1).sort((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]?.toFixed(1);
  const long = longTasks.map((ms) => ms.toFixed(0)).join(' ');
  return (
    `${sorted.length} frames: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms; ` +
    `tasks over 50 ms: [${long}]; ${commits} changes, ${touched} in rows that stayed`
  );
}

/**
 * Milliseconds that the longest tasks of the page's own thread computed: waiting for a busy machine is not in
 * it.
 */
function computed(trace: Buffer): string {
  interface Event {
    name: string;
    pid: number;
    tid: number;
    tdur?: number;
    args: { name?: string };
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: Event[] };
  const thread = ({ pid, tid }: Event) => `${pid} ${tid}`;
  const pages = traceEvents.filter(({ args }) => args.name === 'CrRendererMain').map(thread);
  const tasks = traceEvents.filter(
    (event) => event.name.endsWith('RunTask') && pages.includes(thread(event)),
  );
  const longest = tasks.map(({ tdur }) => (tdur ?? 0) / 1_000).sort((a, b) => b - a);
  return longest
    .slice(0, 3)
    .map((ms) => ms.toFixed(1))
    .join(' ');
}

async function report(name: string, kept: Watch, browser: Browser): Promise<void> {
  const longest = computed(await browser.stopTracing());
  const description = `${told(kept)}; most computed without a break: ${longest} ms`;
  test.info().annotations.push({ type: name, description });
  process.stdout.write(`    ${name}: ${description}\n`);
}

function history(backend: FakeBackend, count: number): void {
  backend.people = [milena, ottla];
  backend.add(ottla, ottla, 'the other one', minutesAgo(count + 2));
  backend.read(ottla);
  for (let i = 1; i <= count; i += 1)
    backend.add(
      milena,
      i % 3 === 0 ? me : milena,
      `#${i} ${'and so on '.repeat(i % 17)}`,
      minutesAgo(count - i + 1),
    );
  backend.read(milena);
}

const newest = (page: Page, text: string) => page.getByTestId('message').last().filter({ hasText: text });

test(`opens a conversation of ${HISTORY} messages`, async ({ page, browser }) => {
  const backend = new FakeBackend(me);
  history(backend, HISTORY);
  await backend.attach(page);
  await page.goto(chatOf(ottla));
  await expect(newest(page, 'the other one')).toBeVisible();
  await page.waitForTimeout(300);
  const kept = await watch(page);
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline'] });
  await page.getByRole('link', { name: /Milena/ }).click();
  await expect(newest(page, `#${HISTORY} `)).toBeInViewport();
  await page.waitForTimeout(500);
  await report('opening', await kept(), browser);
  expect(backend.pages.at(-1)).toBe('?limit=50');
  // Only what is in view is in the document.
  expect(await page.getByTestId('message').count()).toBeLessThan(60);
});

test(`takes ${ARRIVING} messages in a second`, async ({ page, browser }) => {
  const backend = new FakeBackend(me);
  history(backend, 120);
  await backend.attach(page);
  await page.goto(chatOf(milena));
  await expect(newest(page, '#120 ')).toBeInViewport();
  await page.waitForTimeout(500);
  const kept = await watch(page);
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline'] });
  for (let burst = 0; burst < 20; burst += 1) {
    for (let i = 1; i <= ARRIVING / 20; i += 1)
      backend.deliver(milena, `#${120 + (burst * ARRIVING) / 20 + i} ${'and so on '.repeat(i % 9)}`);
    await page.waitForTimeout(45);
  }
  await expect(newest(page, `#${120 + ARRIVING} `)).toBeInViewport();
  const done = await kept();
  await report('arriving', done, browser);
  // A frame changes the page when it adds rows, and once more when it has measured them.
  expect(done.commits).toBeLessThanOrEqual(done.frames.length * 3);
  // Only the row before a new one changes: its run goes on.
  expect(done.touched).toBeLessThanOrEqual(ARRIVING);
});

test('long blocks of code are coloured beside the page', async ({ page }) => {
  const backend = new FakeBackend(me);
  backend.people = [milena, ottla];
  backend.add(ottla, ottla, 'the other one', minutesAgo(90));
  backend.read(ottla);
  for (let i = 1; i <= 30; i += 1) {
    const code = `const value${i} = call("text", [1, 2.5, null], (a) => a * ${i}); // and so on\n`.repeat(
      110,
    );
    backend.add(milena, milena, `\`\`\`js\n${code.slice(0, 7_900)}\n\`\`\``, minutesAgo(60 - i));
  }
  backend.read(milena);
  await backend.attach(page);
  await page.goto(chatOf(ottla));
  await expect(newest(page, 'the other one')).toBeVisible();
  const kept = await watch(page);
  await page.getByRole('link', { name: /Milena/ }).click();
  await expect(page.locator('pre').last().locator('[data-kind=keyword]').first()).toBeVisible();
  expect(page.workers().map((worker) => worker.url())).toEqual([expect.stringMatching(/highlight-worker/)]);
  const { frames, longTasks } = await kept();
  process.stdout.write(
    `    code: longest frame ${Math.max(...frames)} ms, tasks: ${longTasks.join(' ')} ms\n`,
  );
  // It was one task of four seconds, in which nothing could be done.
  expect(Math.max(0, ...longTasks)).toBeLessThan(1_000);
});
