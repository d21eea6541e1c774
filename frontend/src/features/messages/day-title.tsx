import { dayTitle } from '@/lib/time/format';
import { useToday } from '@/lib/time/periods';

/** Renders by itself when the day is over: the row does not change. */
export function DayTitle({ ms }: { ms: number }) {
  return <span>{dayTitle(ms, useToday())}</span>;
}
