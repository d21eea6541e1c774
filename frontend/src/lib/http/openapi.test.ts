// @vitest-environment node
// The types of REST are those of the server: generated again, they are the same.
// That the description itself is what the server answers is a test of the server.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');

it('is generated from docs/openapi.json as it is now', { timeout: 60_000 }, async () => {
  const generator = join(root, 'node_modules/openapi-typescript/bin/cli.js');
  const description = join(root, '../docs/openapi.json');
  const { stdout } = await promisify(execFile)(process.execPath, [generator, description], {
    cwd: root,
    maxBuffer: 16 * 1024 * 1024,
  });
  const committed = await readFile(join(import.meta.dirname, 'openapi.ts'), 'utf8');
  expect(committed.trimEnd() === stdout.trimEnd(), 'run `npm run types`').toBe(true);
});
