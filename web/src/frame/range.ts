/** The time range every page works in, as the URL holds it: relative, or two absolute moments. */
export interface RangeSearch {
  range?: RangeName;
  from?: string;
  to?: string;
}

export const RANGES = { '15m': 15, '1h': 60, '6h': 360, '24h': 1440, '7d': 10_080, '14d': 20_160 } as const;
export type RangeName = keyof typeof RANGES;
export const DEFAULT_RANGE: RangeName = '1h';

const isRange = (value: unknown): value is RangeName => typeof value === 'string' && Object.hasOwn(RANGES, value);
const isMoment = (value: unknown): value is string => typeof value === 'string' && !Number.isNaN(Date.parse(value));

export function validateRange(search: Record<string, unknown>): RangeSearch {
  if (isMoment(search.from) && isMoment(search.to) && Date.parse(search.from) < Date.parse(search.to)) {
    return { from: search.from, to: search.to };
  }
  return isRange(search.range) ? { range: search.range } : {};
}

/** The two moments a range means at a given time, cut to the half minute so that equal questions share an answer. */
export function resolveRange(search: RangeSearch, now: number): { since: string; until: string } {
  if (search.from && search.to) {
    return { since: new Date(search.from).toISOString(), until: new Date(search.to).toISOString() };
  }
  const until = Math.ceil(now / 30_000) * 30_000;
  const minutes = RANGES[search.range ?? DEFAULT_RANGE];
  return { since: new Date(until - minutes * 60_000).toISOString(), until: new Date(until).toISOString() };
}
