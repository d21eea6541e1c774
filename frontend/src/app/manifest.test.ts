// What makes the page one that can be installed: browsers ignore an icon whose size is another one than said.
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

interface Manifest {
  id: string;
  start_url: string;
  icons: { src: string; sizes: string; type: string; purpose: string }[];
}

const file = (name: string) => readFileSync(`public/${name}`);
const manifest = JSON.parse(file('manifest.webmanifest').toString()) as Manifest;
/** Of a PNG, as its header says. */
const sizeOf = (png: Buffer) => `${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`;

it('names icons that are there, in the sizes that it says', () => {
  expect(manifest.icons.map(({ purpose, sizes }) => `${purpose} ${sizes}`)).toEqual([
    'any any',
    'any 192x192',
    'any 512x512',
    'maskable 512x512',
  ]);
  for (const { src, sizes, type } of manifest.icons)
    if (type === 'image/png') expect(sizeOf(file(src)), src).toBe(sizes);
    else expect(file(src).toString()).toContain('<svg');
});

it('is linked from the page, with the icon that iOS asks for', () => {
  const page = readFileSync('index.html').toString();
  expect(page).toContain('<link rel="manifest" href="/manifest.webmanifest" />');
  expect(page).toContain('href="/icon-apple-180.png"');
  expect(sizeOf(file('icon-apple-180.png'))).toBe('180x180');
});
