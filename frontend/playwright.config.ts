// Two kinds of browser tests. `views`: the built page with everything around it played by the test, for
// states that a real server seldom shows. `story`: the real program, from sign-up to a killed server.
import { existsSync } from 'node:fs';

import { defineConfig } from '@playwright/test';

/**
 * A browser of the system, where there is one; otherwise Playwright's own. The one without windows is the
 * same, and does not paint any around the page, which takes a sixth of the time.
 */
const shells = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
const ofTheSystem = shells.find((path) => existsSync(path));
const chromium = process.env.CHROMIUM ?? ofTheSystem;

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: Boolean(process.env.CI),
  workers: 1,
  reporter: [['list']],
  use: {
    locale: 'en-GB',
    timezoneId: 'Europe/Prague',
    viewport: { width: 1280, height: 800 },
    // To record each step takes a fifth of the time.
    trace: process.env.MILENA_TRACE === undefined ? 'off' : 'retain-on-failure',
    screenshot: 'only-on-failure',
    // A worker would answer for what a test plays; where it is the matter of a test, that allows it.
    serviceWorkers: 'block',
    launchOptions: {
      ...(chromium === undefined ? {} : { executablePath: chromium }),
      args: [
        // The sandbox does not work for root, as in containers.
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'views', testMatch: /views\/.*\.spec\.ts/ },
    { name: 'story', testMatch: /story\.spec\.ts/ },
  ],
});
