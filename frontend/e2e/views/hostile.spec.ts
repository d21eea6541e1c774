// Messages that are written to do harm, shown in the built page under the real security policy, wide and
// narrow: nothing runs, nothing is fetched, nothing breaks out of its place.
import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';

import { countChars } from '../../src/config/limits';
import { FakeBackend, ORIGIN } from '../fake/fake-backend';
import { chatOf, me, milena, minutesAgo } from '../fake/people';

const TABLE_ROWS = 60;
const HOSTILE: Record<string, string> = {
  script: '<script>window.harmed = 1</script><script src=https://evil.example/x.js></script>',
  handlers: '<img src=x onerror="window.harmed = 1"> **x** <svg onload=window.harmed=1><b onclick=x>bold</b>',
  frames:
    '*a* <iframe src="https://evil.example"></iframe>' +
    '<form action=//evil.example><input autofocus onfocus=alert(1)>',
  addresses:
    '**go** [here](javascript:window.harmed=1) [here](JaVaScRiPt:window.harmed=1) ' +
    '[here](data:text/html,<script>alert(1)</script>) ' +
    '<javascript:window.harmed=1> javascript:window.harmed=1',
  entities: '*a* [here](&#106;avascript:window.harmed=1) [here](java&Tab;script:alert(1)) \\u0000',
  images: '*a* ![track](https://evil.example/pixel.png) ![track](//evil.example/p.gif "t")',
  style: '<style>*{display:none}</style> *a* <link rel=stylesheet href=https://evil.example/x.css>',
  attributes:
    '[a](https://example.org/"onmouseover="window.harmed=1) https://example.org/"onclick="window.harmed=1',
  table: `<table>${'<tr><td>x</td></tr>'.repeat(200)}</table>`,
  markdownTable: `${'|'.repeat(50)}\n${'|-'.repeat(50)}\n${`${'| cell '.repeat(16)}|\n`.repeat(TABLE_ROWS)}`,
  combining: `Z${'\u0300\u0489'.repeat(3_990)} after`,
  bidi: 'file \u202Egnp.exe\u202C and \u2067left\u2066right\u202D\u202E no end of overrides',
  bidiLink: '[https://bank.example\u202E](https://evil.example/\u202Emoc.knab)',
  zeroWidth: '\u200B\u200C\u200D\u2060\uFEFF'.repeat(1_600),
  longWord: 'Donaudampfschiff'.repeat(500),
  longCode: `\`${'x'.repeat(7_000)}\``,
  longBlock: `\`\`\`js\n${'y'.repeat(7_000)}\n\`\`\``,
  longLink: `**a** https://example.org/${'z'.repeat(7_000)}`,
  deep: `${'> '.repeat(2_000)}deep`,
  deepList: Array.from({ length: 80 }, (_, i) => `${'  '.repeat(i)}- item`).join('\n'),
  emphasis: '*a **b '.repeat(1_100),
  brackets: '['.repeat(7_900),
  lines: '\n'.repeat(10) + 'a\n'.repeat(2_000),
  controls: 'a\u0001\u0008\u001B[31mred\u0007\u0085\u2028\u2029b',
  emoji: '👩‍👩‍👧‍👦'.repeat(700),
};

/** What the page must never do, told by the browser itself. */
async function watch(page: Page): Promise<{ complaints: string[]; requests: string[] }> {
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    const text = message.text();
    // The page asks for its worker; the test's browser is told to have none.
    const expected = text.startsWith('Service Worker registration blocked');
    if ((message.type() === 'error' || message.type() === 'warning') && !expected) complaints.push(text);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(ORIGIN)) requests.push(request.url());
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      // eslint-disable-next-line no-console -- the console is what the test listens to
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return { complaints, requests };
}

for (const [size, viewport] of Object.entries({
  wide: { width: 1280, height: 800 },
  narrow: { width: 390, height: 844 },
})) {
  test.describe(size, () => {
    test.use({ viewport });

    test('hostile messages are text', async ({ page }) => {
      const { complaints, requests } = await watch(page);
      const backend = new FakeBackend(me);
      backend.people = [milena];
      backend.add(milena, milena, 'an honest neighbour', minutesAgo(3));
      backend.read(milena);
      await backend.attach(page);
      await page.goto(chatOf(milena));
      await expect(page.getByTestId('message')).toHaveCount(1);
      for (const [name, body] of Object.entries(HOSTILE)) {
        expect(countChars(body), name).toBeLessThanOrEqual(8_000);
        const { id } = backend.deliver(milena, body);
        const message = page.locator(`[data-key="${id}"]`);
        await expect(message.getByTestId('body'), name).toBeAttached();
        expect(await page.evaluate(() => (window as { harmed?: number }).harmed), name).toBeUndefined();
        await expect(
          page
            .getByRole('log')
            .locator('script, img, iframe, form, input, table, style, link, svg[onload], [onclick]'),
          name,
        ).toHaveCount(0);
        for (const href of await message
          .locator('a')
          .evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? '')))
          expect(href, name).toMatch(/^(https?|mailto):/);
        await sound(page, name);
      }
      backend.deliver(milena, 'an honest end');
      await expect(page.getByTestId('message').last()).toContainText('an honest end');
      await expect(page.getByTestId('message').last()).toBeInViewport();
      expect(complaints).toEqual([]);
      expect(requests).toEqual([]);
    });
  });
}

/** Nothing is wider than its place, and no message is painted over another one or the rest of the page. */
async function sound(page: Page, name: string): Promise<void> {
  const sizes = await page.evaluate(() => {
    const log = document.querySelector<HTMLElement>('[role=log]')!;
    const bubbles = [...document.querySelectorAll('[data-testid=message]')].map((element) =>
      element.getBoundingClientRect(),
    );
    return {
      page: document.documentElement.scrollWidth - window.innerWidth,
      log: log.scrollWidth - log.clientWidth,
      outside: bubbles.some(({ left, right }) => left < 0 || right > window.innerWidth),
      overlap: bubbles.some(({ bottom }, index) => (bubbles[index + 1]?.top ?? Infinity) < bottom - 1),
      clipped: [...document.querySelectorAll('[data-testid=message]')].every(
        (element) =>
          getComputedStyle(element).overflow !== 'visible' || element.scrollWidth <= element.clientWidth + 1,
      ),
    };
  });
  expect(sizes, name).toEqual({ page: 0, log: 0, outside: false, overlap: false, clipped: true });
}

test('no address leads away from the page, or to a blank one', async ({ page }) => {
  const { complaints } = await watch(page);
  const backend = new FakeBackend(me);
  backend.people = [milena];
  backend.add(milena, milena, 'an honest neighbour', minutesAgo(3));
  await backend.attach(page);
  for (const path of [
    '/login?next=/%09/evil.example',
    '/login?next=/.//evil.example',
    '/login?next=%2F%5Cevil.example',
    '/login?next=/%0A%2Fevil.example',
    '/register?next=//evil.example',
    '/c/%E0%A4%A',
    '/c/%00',
    '/%E0%A4%A?next=x',
  ]) {
    await page.goto(`${ORIGIN}${path}`);
    await expect(page.getByRole('navigation', { name: 'Conversations' }), path).toBeVisible();
    expect(new URL(page.url()).origin, path).toBe(ORIGIN);
  }
  expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
});
