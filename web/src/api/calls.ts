import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { get } from './client.ts';
import type { Call, Page } from './types.ts';

export interface CallFilter {
  role?: string;
  ref?: string;
}

const base = (project: number) => `/projects/${project}/ai-calls`;

/** The calls of a project, newest first, without their texts. */
export const callsQuery = (project: number, filter: CallFilter) =>
  infiniteQueryOptions({
    queryKey: ['calls', project, filter],
    queryFn: ({ pageParam, signal }) =>
      get<Page<Call>>(base(project), { ...filter, cursor: pageParam, limit: 50 }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });

/** One call does not change any more once it is logged. */
export const callQuery = (project: number, id: string) =>
  queryOptions({
    queryKey: ['call', project, id],
    queryFn: ({ signal }) => get<Call>(`${base(project)}/${encodeURIComponent(id)}`, undefined, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
