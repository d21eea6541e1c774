// Makes the icons that cannot be SVG: `node icons.js`, after the mark has changed. A browser draws them, so
// that they are what the page shows; their bytes are kept in `public/`.
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath, URL } from 'node:url';

import { chromium } from '@playwright/test';

const SEAL = '#a8402f';
const MARK =
  '<path d="M8 23.5V9.5l8 7.5 8-7.5v14z" fill="none" stroke="#fbf6ec" stroke-width="2.6" ' +
  'stroke-linejoin="round" stroke-linecap="round"/>';

/**
 * `radius`: of the corners, in the mark's own 32 units. `scale`: the part of it that the mark takes, because
 * systems cut icons into shapes of their own.
 */
const ICONS = [
  { name: 'icon-192', size: 192, radius: 8, scale: 1, ground: SEAL },
  { name: 'icon-512', size: 512, radius: 8, scale: 1, ground: SEAL },
  { name: 'icon-maskable-512', size: 512, radius: 0, scale: 0.8, ground: SEAL },
  { name: 'icon-apple-180', size: 180, radius: 0, scale: 0.9, ground: SEAL },
  // What Android shows in its own colour, by its shape alone.
  { name: 'icon-badge-96', size: 96, radius: 0, scale: 1.2, ground: null },
];

const browser = await chromium.launch({
  ...(process.env.CHROMIUM === undefined ? {} : { executablePath: process.env.CHROMIUM }),
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
const page = await browser.newPage();
for (const { name, size, radius, scale, ground } of ICONS) {
  await page.setViewportSize({ width: size, height: size });
  const rect = ground === null ? '' : `<rect width="32" height="32" rx="${radius}" fill="${ground}"/>`;
  const place = `translate(16 16) scale(${scale}) translate(-16 -16)`;
  await page.setContent(
    `<style>body { margin: 0 } svg { display: block }</style><svg xmlns="http://www.w3.org/2000/svg" ` +
      `viewBox="0 0 32 32" width="${size}" height="${size}">${rect}<g transform="${place}">${MARK}</g></svg>`,
  );
  const path = fileURLToPath(new URL(`public/${name}.png`, import.meta.url));
  writeFileSync(path, await page.screenshot({ omitBackground: true }));
}
await browser.close();
