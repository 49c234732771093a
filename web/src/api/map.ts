import { queryOptions } from '@tanstack/react-query';
import { type RangeSearch, resolveRange } from '../frame/range.ts';
import { get } from './client.ts';
import { within } from './pages.ts';
import type { ServiceMap } from './types.ts';

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
