import { queryOptions } from '@tanstack/react-query';
import { type RangeSearch, resolveRange } from '../frame/range.ts';
import { get } from './client.ts';
import type { Following } from './pages.ts';

const base = (project: number) => `/projects/${project}/prometheus/api/v1`;

interface Answer<T> {
  data: T;
  warnings?: string[];
  infos?: string[];
}

/** A series of a range: values are [Unix seconds, number as text]. */
export interface RangeSeries {
  metric: Record<string, string>;
  values?: [number, string][];
  /** Of a native histogram, which is no line. */
  histograms?: unknown[];
}

export interface RangeAnswer {
  /** Unix seconds. */
  start: number;
  end: number;
  step: number;
  /** The query with its variables filled in. */
  sent: string;
  series: RangeSeries[];
  remarks: string[];
}

const STEPS = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];
/** Points of a line: about one for every four pixels. */
const POINTS = 240;

/** The step in seconds at which a range is asked for: a round one. */
export function stepOf(seconds: number): number {
  return STEPS.find((s) => seconds / s <= POINTS) ?? 86_400;
}

/** Senders report at least once a minute; what looks at changes needs a few reports in its window. */
const REPORTS = 60;

/** Fills in the variables that depend on the range, those of Grafana. */
export const withTimes = (query: string, seconds: number, step: number) =>
  query
    .replaceAll(/\$__rate_interval|\$\{__rate_interval\}/g, `${Math.max(step + REPORTS, 4 * REPORTS)}s`)
    .replaceAll(/\$__interval|\$\{__interval\}/g, `${step}s`)
    .replaceAll(/\$__range|\$\{__range\}/g, `${Math.round(seconds)}s`);

function window(range: RangeSearch = {}, pausedAt?: number) {
  const { since, until } = resolveRange(range, pausedAt ?? Date.now());
  const seconds = (Date.parse(until) - Date.parse(since)) / 1000;
  const step = stepOf(seconds);
  const end = Math.floor(Date.parse(until) / 1000);
  return { seconds, step, start: Math.ceil(Date.parse(since) / 1000 / step) * step, end };
}

/** A query as it is sent: what its faults name a column of. */
export function sentAs(query: string, { range, pausedAt }: Following): string {
  const { seconds, step } = window(range, pausedAt);
  return withTimes(query, seconds, step);
}

/** Series that an answer may have; a screen shows fewer. */
const LIMIT = 1000;

/** PromQL over the range, renewed every half minute. */
export const promRangeQuery = (project: number, query: string, { range, pausedAt }: Following) =>
  queryOptions({
    queryKey: ['prom-range', project, query, range ?? null, pausedAt ?? null],
    queryFn: async ({ signal }): Promise<RangeAnswer> => {
      const { seconds, step, start, end } = window(range, pausedAt);
      const sent = withTimes(query, seconds, step);
      const { data, warnings, infos } = await get<Answer<{ resultType: string; result: RangeSeries[] }>>(
        `${base(project)}/query_range`,
        { query: sent, start, end, step, limit: LIMIT },
        signal,
      );
      return { start, end, step, sent, series: data.result, remarks: [...(warnings ?? []), ...(infos ?? [])] };
    },
    placeholderData: (previous, last) =>
      last?.queryKey[1] === project && last.queryKey[2] === query ? previous : undefined,
    refetchInterval: pausedAt === undefined && 30_000,
    refetchOnWindowFocus: pausedAt === undefined,
    retry: false,
  });

export interface InstantSeries {
  metric: Record<string, string>;
  /** Absent for a native histogram. */
  value?: [number, string];
}

/** PromQL at the end of the range. */
export const promInstantQuery = (project: number, query: string, { range, pausedAt }: Following) =>
  queryOptions({
    queryKey: ['prom-instant', project, query, range ?? null, pausedAt ?? null],
    queryFn: async ({ signal }): Promise<InstantSeries[]> => {
      const { seconds, step, end } = window(range, pausedAt);
      const { data } = await get<Answer<{ resultType: string; result: unknown }>>(
        `${base(project)}/query`,
        { query: withTimes(query, seconds, step), time: end, limit: LIMIT },
        signal,
      );
      if (data.resultType === 'vector') return data.result as InstantSeries[];
      return [{ metric: {}, value: data.result as [number, string] }];
    },
    placeholderData: (previous, last) =>
      last?.queryKey[1] === project && last.queryKey[2] === query ? previous : undefined,
    refetchInterval: pausedAt === undefined && 30_000,
    refetchOnWindowFocus: pausedAt === undefined,
    retry: false,
  });

export interface Saying {
  type: string;
  unit: string;
  help: string;
}

/** What senders say of their metrics. */
export const metadataQuery = (project: number) =>
  queryOptions({
    queryKey: ['prom-metadata', project],
    queryFn: async ({ signal }) =>
      (await get<Answer<Record<string, Saying[]>>>(`${base(project)}/metadata`, { limit_per_metric: 1 }, signal)).data,
    staleTime: 60_000,
  });

const known = (project: number, path: string, match?: string, limit = 10_000) =>
  queryOptions({
    queryKey: ['prom-names', project, path, match ?? ''],
    queryFn: async ({ signal }) =>
      (await get<Answer<string[]>>(`${base(project)}/${path}`, { 'match[]': match, limit }, signal)).data,
    staleTime: 60_000,
  });

/** The names of all metrics that have samples. */
export const metricNamesQuery = (project: number) => known(project, 'label/__name__/values');

/** The labels of a metric, or of all. */
export const labelsQuery = (project: number, metric?: string) => known(project, 'labels', metric);

/** The values of a label in a metric, or in all. */
export const labelValuesQuery = (project: number, label: string, metric?: string) =>
  known(project, `label/${encodeURIComponent(label)}/values`, metric, 2000);
