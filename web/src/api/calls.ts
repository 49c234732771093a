import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { get, list } from './client.ts';
import { within } from './pages.ts';
import type { Call, CallFacet, MaskToken, Page, Spending } from './types.ts';

export interface CallFilter {
  role?: string;
  role_of?: 'org' | 'installation';
  version?: number;
  ref?: string;
  provider?: string;
  model?: string;
  status?: string;
  schema?: string;
  caller?: string;
  min_latency_ms?: number;
  text?: string;
}

/** What the calls of a project can be narrowed to. */
export const callFacetsQuery = (project: number) =>
  list<CallFacet>(`/projects/${project}/ai-call-facets`, ['call-facets', project]);

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

/** What the tokens of a call stand for; each reading is noted, so it is asked for only when somebody wants to see it. */
export const originalsQuery = (project: number, id: string) =>
  queryOptions({
    queryKey: ['call', project, id, 'originals'],
    queryFn: ({ signal }) =>
      get<MaskToken[]>(`${base(project)}/${encodeURIComponent(id)}/originals`, undefined, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** What models did since a moment. */
export const spendingQuery = (project: number, from: string, pausedAt?: number) =>
  queryOptions({
    queryKey: ['spending', project, from],
    queryFn: ({ signal }) => get<Spending>(`/projects/${project}/ai-spending`, { from }, signal),
    placeholderData: within(project),
    refetchInterval: pausedAt === undefined && 60_000,
  });
