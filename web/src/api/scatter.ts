import { queryOptions } from '@tanstack/react-query';
import { get } from './client.ts';
import { within } from './pages.ts';
import type { TransactionFilter } from './traces.ts';
import type { Differences, Heat, Sampling, Scatter } from './types.ts';

/** Dots that one answer holds at most; the server thins more. */
export const MOST_DOTS = 100_000;

type Filter = Omit<TransactionFilter, 'order'>;

/** Transactions as the picture draws them: one entry per dot, in no order. */
export interface Dots {
  /** ms since the epoch. */
  ended: Float64Array;
  /** µs. */
  elapsed: Float64Array;
  failed: Uint8Array;
  total: number;
  errors: number;
  longest: number;
  /** Side of the cells of which one dot of each kind is shown; 0 when all are. */
  cell: number;
  cursor: string;
  /** When all of it was read anew, and when the newest came, in ms. */
  readAt: number;
  at: number;
}

/** Reads the compact lists of an answer. */
export function decode(answer: Scatter, now: number): Dots {
  const { ended = [], elapsed = [], failed = [] } = answer as { ended: number[]; elapsed: number[]; failed: number[] };
  const out: Dots = {
    ended: new Float64Array(ended.length),
    elapsed: Float64Array.from(elapsed),
    failed: new Uint8Array(ended.length),
    total: answer.total,
    errors: answer.errors,
    longest: answer.longest_ns,
    cell: answer.cell_px,
    cursor: answer.cursor,
    readAt: now,
    at: now,
  };
  let at = 0;
  for (let i = 0; i < ended.length; i++) {
    at += ended[i] ?? 0;
    out.ended[i] = at;
  }
  let index = 0;
  for (const step of failed) {
    index += step;
    out.failed[index] = 1;
  }
  return out;
}

/** The dots held and those that came since, without those that ended before from. */
export function follow(held: Dots, news: Dots, from: number): Dots {
  const keep: number[] = [];
  for (let i = 0; i < held.ended.length; i++) if ((held.ended[i] ?? 0) >= from) keep.push(i);
  const n = keep.length;
  const size = n + news.ended.length;
  const out: Dots = {
    ...news,
    ended: new Float64Array(size),
    elapsed: new Float64Array(size),
    failed: new Uint8Array(size),
    longest: Math.max(held.longest, news.longest),
    cell: held.cell || news.cell,
    readAt: held.readAt,
  };
  keep.forEach((i, to) => {
    out.ended[to] = held.ended[i] ?? 0;
    out.elapsed[to] = held.elapsed[i] ?? 0;
    out.failed[to] = held.failed[i] ?? 0;
  });
  out.ended.set(news.ended, n);
  out.elapsed.set(news.elapsed, n);
  out.failed.set(news.failed, n);
  if (out.cell) {
    out.total = held.total + news.total;
    out.errors = held.errors + news.errors;
  } else {
    out.total = size;
    out.errors = out.failed.reduce((sum, each) => sum + each, 0);
  }
  return out;
}

/** The two ends of the picture, in ms, at a moment. */
export type Ends = (now: number) => { from: number; to: number };

interface Picture {
  project: number;
  filter: Filter;
  /** Names the range: dots are followed as long as it stays. */
  range: unknown;
  ends: Ends;
  width: number;
  height: number;
  /** Upper edge in ms, when the reader chose one. */
  top?: number;
  log: boolean;
  /** Whether the picture moves on; when not, since when it stands. */
  live: boolean;
  now: () => number;
  enabled: boolean;
}

/** Old totals of a thinned picture, and dots that pile up, are read anew. */
const stale = (held: Dots, now: number) =>
  held.ended.length > MOST_DOTS * 1.5 || (held.cell > 0 && now - held.readAt > 60_000);

export const scatterQuery = ({
  project,
  filter,
  range,
  ends,
  width,
  height,
  top,
  log,
  live,
  now,
  enabled,
}: Picture) => {
  // A picture that chooses its own upper edge is thinned on the logarithmic grid, which is as fine for short as for long.
  const grid = { width, height, top_ns: top && top * 1e6, log: log || !top };
  const queryKey = ['scatter', project, filter, range, grid, live] as const;
  return queryOptions({
    queryKey,
    queryFn: async ({ signal, client }): Promise<Dots> => {
      const at = now();
      const { from, to } = ends(at);
      const held = client.getQueryData<Dots>(queryKey);
      const since = live && held && !stale(held, at) ? held.cursor : undefined;
      const answer = await get<Scatter>(
        `/projects/${project}/scatter`,
        { ...filter, ...grid, from: iso(from), to: iso(to), live, since, dots: MOST_DOTS },
        signal,
      );
      const news = decode(answer, at);
      return since && held ? follow(held, news, from) : news;
    },
    enabled,
    structuralSharing: false,
    placeholderData: within(project),
    refetchInterval: live ? 2_000 : false,
    refetchOnWindowFocus: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
};

export const heatQuery = ({
  project,
  filter,
  range,
  ends,
  top,
  log,
  live,
  now,
  enabled,
}: Omit<Picture, 'width' | 'height'>) => {
  const grid = { width: HEAT.columns, height: HEAT.rows, top_ns: top && top * 1e6, log };
  return queryOptions({
    queryKey: ['heat', project, filter, range, grid, live],
    queryFn: async ({ signal }) => {
      const at = now();
      const { from, to } = ends(at);
      const heat = await get<Heat>(
        `/projects/${project}/scatter/heatmap`,
        { ...filter, ...grid, from: iso(from), to: iso(to) },
        signal,
      );
      return { heat, from, to };
    },
    enabled,
    placeholderData: within(project),
    refetchInterval: live ? 10_000 : false,
  });
};

export const HEAT = { columns: 160, rows: 40 };

export const samplingQuery = (project: number, range: unknown, ends: Ends, now: () => number) =>
  queryOptions({
    queryKey: ['sampling', project, range],
    queryFn: ({ signal }) => {
      const { from, to } = ends(now());
      return get<Sampling>(`/projects/${project}/scatter/sampling`, { from: iso(from), to: iso(to) }, signal);
    },
    staleTime: 300_000,
  });

/** A rectangle of the picture: ends in ms, elapsed in µs, all inclusive. */
export interface Rectangle {
  from: number;
  to: number;
  min: number;
  max: number;
}

export const differencesQuery = (project: number, filter: Filter, ends: Ends, selected: Rectangle, now: () => number) =>
  queryOptions({
    queryKey: ['differences', project, filter, selected],
    queryFn: ({ signal }) => {
      const { from, to } = ends(now());
      return get<Differences>(
        `/projects/${project}/scatter/differences`,
        {
          ...filter,
          from: iso(Math.min(from, selected.from)),
          to: iso(Math.max(to, selected.to + 1)),
          sel_from: iso(selected.from),
          sel_to: iso(selected.to + 1),
          sel_min_ns: selected.min * 1_000,
          sel_max_ns: selected.max * 1_000 + 999,
        },
        signal,
      );
    },
    staleTime: 60_000,
  });

const iso = (ms: number) => new Date(ms).toISOString();
