// A browser whose storage hangs stops neither sending nor leaving.

const STORAGE_MS = 1_000;

/** What the storage answers, or what is said instead when it does not. */
export function inTime<T>(answer: Promise<T>, instead: T): Promise<T> {
  const late = new Promise<T>((resolve) => setTimeout(() => resolve(instead), STORAGE_MS));
  return Promise.race([answer, late]);
}
