import { queryOptions } from '@tanstack/react-query';
import { get, post } from './client.ts';
import { type Following, pages } from './pages.ts';
import type { Incident, IncidentSummary } from './types.ts';

export type IncidentState = 'open' | 'resolved' | 'all';

const base = (project: number) => `/projects/${project}/incidents`;

/** The open ones whatever their age; for all others the range counts, if there is one. */
export const incidentsQuery = (project: number, state: IncidentState, text: string, following: Following = {}) =>
  pages<IncidentSummary>({
    project,
    kind: 'incidents',
    path: base(project),
    query: { state: state === 'all' ? undefined : state, q: text },
    limit: 50,
    every: 15_000,
    ...following,
    range: state === 'open' ? undefined : following.range,
  });

export const incidentQuery = (project: number, id: number, pausedAt?: number) =>
  queryOptions({
    queryKey: ['incident', project, id],
    queryFn: ({ signal }) => get<Incident>(`${base(project)}/${id}`, undefined, signal),
    // While the analysis runs the page waits for it; afterwards it only keeps up.
    refetchInterval: (query) => {
      if (pausedAt !== undefined) return false;
      const analysis = query.state.data?.analysis;
      return analysis === 'pending' || analysis === 'running' ? 2_000 : 15_000;
    },
  });

export type IncidentAction = 'acknowledge' | 'resolve' | 'analyze';

export const act = (project: number, id: number, action: IncidentAction) =>
  post<void>(`${base(project)}/${id}/${action}`);
