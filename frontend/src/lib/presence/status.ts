// What somebody says of themselves for a while; whoever shows it stops by themselves when it is over.
import type { Status } from '@/lib/http/types';

/** As it is to be shown now; null when there is none, or not any more. */
export function statusAt(status: Status | null | undefined, nowMs: number): Status | null {
  if (!status) return null;
  return status.until !== null && Date.parse(status.until) <= nowMs ? null : status;
}
