import { queryOptions } from '@tanstack/react-query';
import { get } from './client.ts';
import { type Following, pages, within } from './pages.ts';
import { ranged } from './ranged.ts';
import type { Call, CallAsker, CallFacet, MaskToken, Page, Spending } from './types.ts';

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
  /** Number of an account, 0 for none. */
  person?: string;
  /** Number of an API token, 0 for none. */
  token?: string;
  purpose?: string;
  min_latency_ms?: number;
  text?: string;
}

/** What the calls of a time can be narrowed to. */
export const callFacetsQuery = (project: number, following: Following) =>
  ranged<Page<CallFacet>>({ kind: 'call-facets', path: `/projects/${project}/ai-call-facets`, ...following });

/** The persons, tokens and purposes of the calls of a time. */
export const callAskersQuery = (project: number, following: Following) =>
  ranged<Page<CallAsker>>({ kind: 'call-askers', path: `/projects/${project}/ai-call-askers`, ...following });

const base = (project: number) => `/projects/${project}/ai-calls`;

/** The calls of a project that began in a time, newest first, without their texts. */
export const callsQuery = (project: number, filter: CallFilter, following: Following) =>
  pages<Call>({
    project,
    kind: 'calls',
    path: base(project),
    query: { ...filter },
    limit: 50,
    every: 15_000,
    ...following,
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
