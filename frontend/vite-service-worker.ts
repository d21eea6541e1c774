// Builds the service worker behind the page: a script of its own at `/sw.js`, with the list of all files that
// the page was built into. Its bytes change whenever any of these do, and by that browsers find a new build.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { build } from 'vite';
import type { Plugin } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const PAGE = 'index.html';
/** Copied as they are; without folders. */
const PUBLIC = at('./public');

export function serviceWorker(): Plugin {
  return {
    name: 'milena-service-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      async handler(_, bundle) {
        const built = Object.values(bundle).filter(({ fileName }) => !fileName.endsWith('.map'));
        const hash = createHash('sha256');
        const files = ['/'];
        for (const one of built.toSorted((a, b) => (a.fileName < b.fileName ? -1 : 1))) {
          if (one.fileName !== PAGE) files.push(`/${one.fileName}`);
          hash.update(one.fileName).update(one.type === 'chunk' ? one.code : one.source);
        }
        for (const name of readdirSync(PUBLIC).sort()) {
          files.push(`/${name}`);
          hash.update(name).update(readFileSync(`${PUBLIC}/${name}`));
        }
        const entry = built.find((one) => one.type === 'chunk' && one.isEntry)?.fileName;
        if (entry === undefined) this.error('the page has no entry');
        const version = hash.digest('hex').slice(0, 16);
        const made = { version, files, entry: `/${entry}` };
        this.emitFile({ type: 'asset', fileName: 'sw.js', source: await compiled(JSON.stringify(made)) });
      },
    },
  };
}

async function compiled(made: string): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    define: { MILENA_BUILD: made },
    build: {
      write: false,
      target: ['chrome123', 'firefox121', 'safari17.5'],
      lib: { entry: at('./src/service-worker/worker.ts'), formats: ['iife'], name: 'milena' },
    },
  });
  const [bundle] = [output].flat();
  const chunk = bundle && 'output' in bundle ? bundle.output[0] : undefined;
  if (!chunk) throw new Error('the service worker was not built');
  return chunk.code;
}
