/** A plot's inner size and what its edges stand for: ms since the epoch, and µs. */
export interface Axes {
  width: number;
  height: number;
  from: number;
  to: number;
  /** µs at the upper edge; what is above is drawn there. */
  top: number;
  log: boolean;
}

/** Where a logarithmic axis begins, in µs. */
export const FLOOR = 1_000;

export const toX = (a: Axes, ms: number) => ((ms - a.from) / (a.to - a.from)) * a.width;
export const fromX = (a: Axes, x: number) => a.from + (x / a.width) * (a.to - a.from);

export function toY(a: Axes, us: number): number {
  const share = a.log ? Math.log(Math.max(us, FLOOR) / FLOOR) / Math.log(a.top / FLOOR) : us / a.top;
  return a.height * (1 - Math.min(Math.max(share, 0), 1));
}

export function fromY(a: Axes, y: number): number {
  const share = Math.min(Math.max(1 - y / a.height, 0), 1);
  return a.log ? (share === 0 ? 0 : FLOOR * (a.top / FLOOR) ** share) : share * a.top;
}

const NICE = [1, 2, 5, 10];

/** The least of 1, 2 and 5 times a power of ten that is not below. */
export function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return power * (NICE.find((n) => n * power >= value) ?? 10);
}

/** The upper edge that shows nearly everything, in µs: on a linear axis a few outliers must not press the rest flat. */
export function edge(elapsed: Float64Array, longest: number, log: boolean): number {
  if (log) return nice(Math.max(longest, FLOOR * 10));
  if (elapsed.length === 0) return 1_000_000;
  const sample = elapsed.filter((_, i) => i % Math.ceil(elapsed.length / 5_000) === 0).sort();
  return nice((sample[Math.floor(sample.length * 0.99)] ?? 0) * 1.1);
}

/** Lines across: values in µs. */
export function rows(a: Axes): number[] {
  if (!a.log) return [0, 1, 2, 3, 4].map((n) => (n * a.top) / 4);
  const out = [];
  for (let value = FLOOR; value <= a.top; value *= 10) out.push(value);
  return out;
}

const STEPS = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800].map((s) => s * 1000);

/** Lines down, on round moments of the reader's zone: ms. */
export function columns(a: Axes): number[] {
  const most = Math.max(2, Math.floor(a.width / 110));
  const step = STEPS.find((s) => (a.to - a.from) / s <= most) ?? 604_800_000;
  const shift = new Date(a.from).getTimezoneOffset() * 60_000;
  const out = [];
  for (let at = Math.ceil((a.from - shift) / step) * step + shift; at <= a.to; at += step) out.push(at);
  return out;
}
