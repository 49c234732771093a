// Readers of one search parameter each: what does not fit is left out, so that
// a mistyped address shows the page's default and not an error.

export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;

export const positive = (value: unknown): number | undefined => {
  const n = Number(value);
  return Number.isFinite(n) && n > 0 ? n : undefined;
};

/** Whose settings: the number of an organisation, or 0 for what all share. */
export const whose = (value: unknown): number | undefined => {
  const n = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isInteger(n) && n >= 0 ? n : undefined;
};

export const flag = (value: unknown): true | undefined => (value === true || value === 'true' ? true : undefined);

export const choice = <T extends string>(value: unknown, among: readonly T[]): T | undefined =>
  among.find((one) => one === value);

/** A point in time as RFC 3339 has it. */
export const moment = (value: unknown): string | undefined =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : undefined;

/** Every search parameter of a page may be absent. */
export const optional =
  <T extends object>(read: (search: Record<string, unknown>) => T) =>
  (search: Record<string, unknown>): Partial<T> =>
    read(search);
