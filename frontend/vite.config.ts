import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

import { emoji } from './vite-emoji.ts';
import { serviceWorker } from './vite-service-worker.ts';

const backend = process.env.MILENA_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), emoji(), serviceWorker()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: {
    host: '127.0.0.1',
    // `changeOrigin` stays off: the backend compares `Origin` with the host that the browser asked for.
    proxy: { '/api': { target: backend }, '/ws': { target: backend, ws: true } },
  },
  build: {
    // `light-dark()` and the like are used as they are.
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // The page is served with `default-src 'self'`: nothing may become a data: URL or an inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  worker: { format: 'es' },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/testing/setup.ts'],
    restoreMocks: true,
    // A limit for what hangs. How fast a test is says nothing on a machine that does other things too.
    testTimeout: 60_000,
  },
});
