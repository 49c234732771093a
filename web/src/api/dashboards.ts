import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove, seen } from './client.ts';
import type { Following } from './pages.ts';
import { ranged } from './ranged.ts';
import type {
  Dashboard,
  DashboardDocument,
  DashboardEdition,
  ImportedDashboard,
  LogRecord,
  Page,
  Scatter,
} from './types.ts';

const base = (project: number) => `/projects/${project}/dashboards`;

export const dashboardsQuery = (project: number) => list<Dashboard>(base(project), ['dashboards', project]);
export const dashboardQuery = (project: number, id: number) =>
  queryOptions({
    queryKey: ['dashboards', project, id],
    queryFn: ({ signal }) => get<Dashboard>(`${base(project)}/${id}`, undefined, signal),
  });
export const dashboardHistoryQuery = (project: number, id: number) =>
  list<DashboardEdition>(`${base(project)}/${id}/history`, ['dashboards', project, id, 'history']);
export const createDashboard = (project: number, document: DashboardDocument) =>
  post<Dashboard>(base(project), document);
export const importDashboard = (project: number, document: unknown) =>
  post<ImportedDashboard>(`${base(project)}/import`, document);
export const updateDashboard = (project: number, { id, version }: Dashboard, document: DashboardDocument) =>
  put<Dashboard>(`${base(project)}/${id}`, document, seen(version));
export const deleteDashboard = (project: number, { id, version }: Dashboard) =>
  remove(`${base(project)}/${id}`, seen(version));

/** How many transactions a search finds, and how many of them failed. */
export const transactionCountQuery = (project: number, q: string, following: Following) =>
  ranged<Scatter>({
    kind: 'transaction-count',
    path: `/projects/${project}/scatter`,
    query: { q, width: 1, height: 1, dots: 2 },
    ...following,
  });

export const logLinesQuery = (project: number, q: string, following: Following) =>
  ranged<Page<LogRecord>>({
    kind: 'log-lines',
    path: `/projects/${project}/logs`,
    query: { q, limit: 50 },
    ...following,
  });
