// Until when something is silent, from a press on: an hour, or the next morning by the clock on the wall.
const HOUR_MS = 3_600_000;
const MORNING_HOUR = 8;

export const inAnHour = (nowMs: number): string => new Date(nowMs + HOUR_MS).toISOString();

export function tomorrowMorning(nowMs: number): string {
  const morning = new Date(nowMs);
  morning.setDate(morning.getDate() + 1);
  morning.setHours(MORNING_HOUR, 0, 0, 0);
  return morning.toISOString();
}
