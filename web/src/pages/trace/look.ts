const COLOURS = 8;
const SHAPES = ['square', 'circle', 'diamond'] as const;

export interface Look {
  /** CSS value of the service's colour. */
  colour: string;
  shape: (typeof SHAPES)[number];
}

/** Every service gets a colour, and a shape that still tells it apart where colours do not. */
export function looks(services: string[]): Map<string, Look> {
  return new Map(
    services.map((service, i) => [
      service,
      { colour: `var(--mx-s${(i % COLOURS) + 1})`, shape: SHAPES[i % SHAPES.length] ?? 'square' },
    ]),
  );
}

/** Round moments for the ruler over a window: at most `most` of them, 1, 2 or 5 times a power of ten ns apart. */
export function ticks(from: number, to: number, most: number): number[] {
  const raw = (to - from) / Math.max(1, most);
  if (raw <= 0) return [];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10);
  const marks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) marks.push(at);
  return marks;
}

/** Stretches of time in a window as shares of it; those closer than `least` are one, so that thousands stay few. */
export function stretches(
  parts: { from_ns: number; to_ns: number }[],
  from: number,
  to: number,
  least = 0.002,
): [left: number, right: number][] {
  const out: [number, number][] = [];
  for (const part of parts) {
    const left = Math.max(0, (part.from_ns - from) / (to - from));
    const right = Math.min(1, (part.to_ns - from) / (to - from));
    if (right < 0 || left > 1) continue;
    const last = out.at(-1);
    if (last && left - last[1] < least) last[1] = Math.max(last[1], right);
    else out.push([left, right]);
  }
  return out;
}
