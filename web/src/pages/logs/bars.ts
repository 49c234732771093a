import type { LogHistogram } from '../../api/types.ts';
import { LEVELS, type Level } from '../../parts/levels.ts';

export interface Bar {
  at: number;
  /** From the ground up, gravest at the ground, where a few of them are seen. */
  parts: { level: Level; from: number; to: number }[];
}

/** The counts of the levels put upon each other. */
export function stack(data: LogHistogram, only: readonly string[]): { bars: Bar[]; top: number; n: number } {
  const n = data.bars;
  const shown = LEVELS.flatMap((level) => {
    const found = data.levels.find((each) => each.level === level);
    return found && (only.length === 0 || only.includes(level)) ? [{ level, counts: found.counts }] : [];
  });
  let top = 1;
  const bars = Array.from({ length: n }, (_, at) => {
    let from = 0;
    const parts: Bar['parts'] = [];
    for (const { level, counts } of shown) {
      const to = from + (counts[at] ?? 0);
      if (to > from) parts.push({ level, from, to });
      from = to;
    }
    top = Math.max(top, from);
    return { at, parts };
  });
  return { bars, top, n };
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 30].map((n) => n * DAY),
];

/** Round moments of the reader's clock between two, in ms, at most so many. */
export function timeTicks(from: number, to: number, most: number): { at: number; label: string }[] {
  const step = STEPS.find((s) => (to - from) / s <= most) ?? 30 * DAY;
  const shift = new Date(from).getTimezoneOffset() * MINUTE;
  const ticks = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) {
    ticks.push({ at, label: label(new Date(at), step) });
  }
  return ticks;
}

const two = (n: number) => String(n).padStart(2, '0');

function label(d: Date, step: number): string {
  const date = `${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  if (step >= DAY || (step >= HOUR && d.getHours() === 0 && d.getMinutes() === 0)) return date;
  const minutes = `${two(d.getHours())}:${two(d.getMinutes())}`;
  return step >= MINUTE ? minutes : `${minutes}:${two(d.getSeconds())}`;
}
