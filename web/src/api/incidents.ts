import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { get, post } from './client.ts';
import type { Incident, IncidentSummary, Page } from './types.ts';

export type IncidentState = 'open' | 'resolved' | 'all';

const base = (project: number) => `/projects/${project}/incidents`;

export const incidentsQuery = (project: number, state: IncidentState, text: string) =>
  infiniteQueryOptions({
    queryKey: ['incidents', project, state, text],
    queryFn: ({ pageParam, signal }) =>
      get<Page<IncidentSummary>>(
        base(project),
        { state: state === 'all' ? undefined : state, q: text, cursor: pageParam, limit: 50 },
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
  });

export const incidentQuery = (project: number, id: number) =>
  queryOptions({
    queryKey: ['incident', project, id],
    queryFn: ({ signal }) => get<Incident>(`${base(project)}/${id}`, undefined, signal),
    // While the analysis runs the page waits for it; afterwards it only keeps up.
    refetchInterval: (query) => {
      const analysis = query.state.data?.analysis;
      return analysis === 'pending' || analysis === 'running' ? 2_000 : 15_000;
    },
  });

export type IncidentAction = 'acknowledge' | 'resolve' | 'analyze';

export const act = (project: number, id: number, action: IncidentAction) =>
  post<void>(`${base(project)}/${id}/${action}`);
