// What the worker knows of the build that it came with: put in its place when the page is built
// (vite-service-worker.ts).

export interface Build {
  /** Another one whenever any file is. */
  version: string;
  /** The addresses of all files of the page, `/` among them. */
  files: readonly string[];
  /** The script that `/` begins with: by it a page knows whether it is of this build. */
  entry: string;
}

declare const MILENA_BUILD: Build;

export const build: Build = MILENA_BUILD;
