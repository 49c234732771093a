import { queryOptions } from '@tanstack/react-query';
import { type RangeSearch, resolveRange } from '../frame/range.ts';
import { get } from './client.ts';
import { within } from './pages.ts';
import type { Heat, ServiceMap } from './types.ts';

export const EDGE_SORTS = ['rate', 'from', 'to', 'errors', 'p50', 'p95', 'p99'] as const;
export type EdgeSort = (typeof EDGE_SORTS)[number];

export interface MapFilter {
  environment?: string;
  /** The node to look from. */
  focus?: string;
  /** Steps from focus. */
  depth?: number;
}

/** Who calls whom; renews itself unless the reader has paused. */
export const mapQuery = (project: number, filter: MapFilter, range: RangeSearch, pausedAt: number | undefined) =>
  queryOptions({
    queryKey: ['map', project, filter, range],
    queryFn: ({ signal }) => {
      const { since, until } = resolveRange(range, pausedAt ?? Date.now());
      return get<ServiceMap>(`/projects/${project}/map`, { ...filter, from: since, to: until }, signal);
    },
    placeholderData: within(project),
    refetchInterval: pausedAt === undefined ? 15_000 : false,
    refetchOnWindowFocus: pausedAt === undefined,
  });

interface Steps {
  /** In ms, as the length of a step. */
  from: number;
  step: number;
  count: number;
}

/** What services took in during each step, and how much of it failed. */
export const activityQuery = (project: number, environment: string | undefined, { from, step, count }: Steps) =>
  queryOptions({
    queryKey: ['activity', project, environment, from, step, count],
    queryFn: ({ signal }) =>
      get<Heat>(
        `/projects/${project}/scatter/heatmap`,
        {
          environment,
          from: new Date(from).toISOString(),
          to: new Date(from + step * count).toISOString(),
          width: count,
          height: 1,
        },
        signal,
      ),
    placeholderData: within(project),
    staleTime: 30_000,
  });
