// How long to wait before the next try. Jitter spreads the clients of a restarted server; the doubling is
// bounded, and forgotten only after a connection that lasted, so that one which dies at once does not flap.

const FIRST_MS = 500;
const MAX_MS = 30_000;
const RESTART_SPREAD_MS = 3_000;
/** A connection that lived this long starts the doubling anew. */
export const STABLE_MS = 10_000;
const RESTARTING = 1012;

/** `attempt` counts from 0; `random` is in [0, 1). */
export function backoffMs(attempt: number, code: number | undefined, random: number): number {
  const ceiling = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  const spread = code === RESTARTING && attempt === 0 ? RESTART_SPREAD_MS * random : 0;
  return Math.round(ceiling / 2 + (ceiling / 2) * random + spread);
}
