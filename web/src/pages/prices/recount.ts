import type { Recount } from '../../api/types.ts';

const DAY = 86_400_000;

/** How long calls are logged: no earlier day has any. */
export const KEPT_DAYS = 91;

/** How many of its days a recount has done. */
export function daysOf({ from, to, done_until }: Pick<Recount, 'from' | 'to' | 'done_until'>) {
  const days = (until: string) => Math.round((Date.parse(until) - Date.parse(from)) / DAY);
  return { done: days(done_until), all: Math.max(1, days(to)) };
}

/** The day of UTC that a moment is in, as an <input type="date"> has it. */
export const dayUTC = (at: string | number) => new Date(at).toISOString().slice(0, 10);

/** The last day before the end of a span. */
export const lastDayUTC = (end: string) => dayUTC(Date.parse(end) - 1);

/** The days of UTC that costs can be counted again from. */
export const firstDays = (now: number) => ({ min: dayUTC(now - KEPT_DAYS * DAY), max: dayUTC(now) });
