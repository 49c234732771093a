import type { Rectangle } from '../../api/scatter.ts';

/** A rectangle as the address holds it: two moments in ms and two times in µs. */
export const writeRectangle = ({ from, to, min, max }: Rectangle) => [from, to, min, max].map(Math.round).join('_');

/** Reads it back; undefined when it is none. */
export function readRectangle(text: string | undefined): Rectangle | undefined {
  const [from, to, min, max, ...more] = (text ?? '')
    .split('_')
    .map((part) => (part === '' ? Number.NaN : Number(part)));
  const all = [from, to, min, max];
  if (more.length > 0 || !all.every((n) => Number.isSafeInteger(n) && Number(n) >= 0)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = all as number[];
  return a <= b && c <= d && b < 8e15 ? { from: a, to: b, min: c, max: d } : undefined;
}

/** The same as a filter of the list of transactions: it selects exactly what lies in the rectangle. */
export const listed = ({ from, to, min, max }: Rectangle) => ({
  range: { from: new Date(from).toISOString(), to: new Date(to + 1).toISOString() },
  min_elapsed_ns: min * 1_000,
  max_elapsed_ns: max * 1_000 + 999,
});
