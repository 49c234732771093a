/** What is drawn over time: one value for each moment, null where nothing was recorded. */
export type Values = (number | null)[];

export interface Grid {
  /** When each step begins, in Unix seconds. */
  at: number[];
  /** The points' place in `at`. */
  place: Map<number, number>;
}

/** Every step from the first to the last moment, so that a missing one is a gap and not a line across it. */
export function grid(from: string, to: string, step: number): Grid {
  const first = Math.floor(Date.parse(from) / 1000 / step) * step;
  const end = Date.parse(to) / 1000;
  const at: number[] = [];
  for (let t = first; t < end; t += step) at.push(t);
  return { at, place: new Map(at.map((t, i) => [t, i])) };
}

/** The values of the points in their places. */
export function onGrid<P extends { at: number }>(
  { at, place }: Grid,
  points: P[],
  value: (point: P) => number,
): Values {
  const values: Values = at.map(() => null);
  for (const point of points) {
    const i = place.get(point.at);
    if (i !== undefined) values[i] = value(point);
  }
  return values;
}

export interface Summary {
  least: number;
  average: number;
  most: number;
  last: number;
}

/** What a line says in four numbers; undefined when it says nothing. */
export function summary(values: Values): Summary | undefined {
  const known = values.filter((v) => v !== null);
  const last = known.at(-1);
  if (last === undefined) return undefined;
  return {
    least: Math.min(...known),
    average: known.reduce((sum, v) => sum + v, 0) / known.length,
    most: Math.max(...known),
    last,
  };
}
