import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove, seen, send } from './client.ts';
import { type Following, pages } from './pages.ts';
import type {
  Affected,
  AnalysisSettings,
  Incident,
  IncidentChange,
  IncidentSummary,
  IncidentsChanged,
  Maintenance,
  MaintenanceEdit,
  Silence,
  SilenceEdit,
} from './types.ts';

/** What the list shows: open is all that goes on, unseen what nobody has acknowledged. */
export const INCIDENT_STATES = ['open', 'unseen', 'acknowledged', 'mitigated', 'resolved', 'closed', 'all'] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];
export const SEVERITIES = ['critical', 'warning', 'info'] as const;

const base = (project: number) => `/projects/${project}/incidents`;
const one = (project: number, id: number) => `${base(project)}/${id}`;

/** What the API calls a state of the list; undefined is all. */
const asked = (state: IncidentState) =>
  state === 'all' ? undefined : state === 'open' ? 'active' : state === 'unseen' ? 'open' : state;

/** Whether the list is of what goes on, where the time range does not count. */
export const goesOn = (state: IncidentState) => state !== 'all' && state !== 'resolved' && state !== 'closed';

export interface IncidentFilter {
  severity?: string;
  service?: string;
  label?: string;
  /** An account; -1 is nobody. */
  assignee?: string;
}

/** Those that go on whatever their age; for all others the range counts, if there is one. */
export const incidentsQuery = (
  project: number,
  state: IncidentState,
  text: string,
  following: Following = {},
  filter: IncidentFilter = {},
) =>
  pages<IncidentSummary>({
    project,
    kind: 'incidents',
    path: base(project),
    query: { state: asked(state), q: text, ...filter },
    limit: 50,
    every: 15_000,
    ...following,
    range: goesOn(state) ? undefined : following.range,
  });

/** What a page of incidents tells beside its items: how many are in each state. */
export const statesOf = (page: object | undefined) => (page as { states?: Record<string, number> } | undefined)?.states;

/** How many incidents a tab of the list holds. */
export const tabCount = (states: Record<string, number> | undefined, state: IncidentState) => {
  if (!states) return undefined;
  const name = asked(state);
  if (name) return states[name] ?? 0;
  return (states.active ?? 0) + (states.resolved ?? 0) + (states.closed ?? 0);
};

/** Where the list is a table for spreadsheets. */
export const incidentsTable = (project: number, state: IncidentState, text: string, filter: IncidentFilter) => {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries({ state: asked(state), q: text, ...filter })) {
    if (value) params.set(name, value);
  }
  return `/api/v1${base(project)}.csv?${params}`;
};

export const incidentQuery = (project: number, id: number, pausedAt?: number) =>
  queryOptions({
    queryKey: ['incident', project, id],
    queryFn: ({ signal }) => get<Incident>(one(project, id), undefined, signal),
    // While the analysis runs the page waits for it; afterwards it only keeps up.
    refetchInterval: (query) => {
      if (pausedAt !== undefined) return false;
      const analysis = query.state.data?.analysis;
      return analysis === 'pending' || analysis === 'running' ? 2_000 : 15_000;
    },
  });

export const impactQuery = (project: number, id: number, goesOn: boolean, pausedAt?: number) =>
  queryOptions({
    queryKey: ['incident-impact', project, id],
    queryFn: ({ signal }) => get<Affected>(`${one(project, id)}/impact`, undefined, signal),
    refetchInterval: goesOn && pausedAt === undefined && 60_000,
  });

export const changeIncident = (project: number, id: number, change: IncidentChange) =>
  post<void>(`${one(project, id)}/changes`, change);

export const changeIncidents = (project: number, incidents: number[], change: IncidentChange) =>
  post<IncidentsChanged>(`/projects/${project}/incident-changes`, { incidents, ...change });

export const analyzeIncident = (project: number, id: number) => post<void>(`${one(project, id)}/analyze`);

export const mergeIncidents = (project: number, into: number, incidents: number[]) =>
  post<void>(`${one(project, into)}/merge`, { incidents });

export const splitIncident = (project: number, id: number) => post<void>(`${one(project, id)}/split`);

export const commentIncident = (project: number, id: number, text: string) =>
  post<void>(`${one(project, id)}/comments`, { text });

/** Changes one's own comment; without a text it is deleted. */
export const editComment = (project: number, id: number, comment: number, text: string) => {
  const path = `${one(project, id)}/comments/${comment}`;
  return text ? put<void>(path, { text }) : remove(path);
};

export const silencesQuery = (project: number) => list<Silence>(`/projects/${project}/silences`, ['silences', project]);

export const createSilence = (project: number, silence: SilenceEdit) =>
  post<Silence>(`/projects/${project}/silences`, silence);

export const endSilence = (project: number, id: number) => post<void>(`/projects/${project}/silences/${id}/end`);

/** A silence of what fires an incident, for so many hours. */
export const silenceFor = (incident: IncidentSummary, hours: number, reason: string): SilenceEdit => ({
  matchers: {
    rule_id: incident.rule.id,
    service: incident.service || undefined,
    phase: incident.phase || undefined,
    subject: incident.subject || undefined,
  },
  reason,
  ends_at: new Date(Date.now() + hours * 3_600_000).toISOString(),
});

export const maintenancesQuery = (project: number) =>
  list<Maintenance>(`/projects/${project}/maintenance-windows`, ['maintenance-windows', project]);

export const createMaintenance = (project: number, window: MaintenanceEdit) =>
  post<Maintenance>(`/projects/${project}/maintenance-windows`, window);

export const deleteMaintenance = (project: number, id: number) =>
  remove(`/projects/${project}/maintenance-windows/${id}`);

const analysis = (project: number) => `/projects/${project}/incident-analysis`;

export const analysisSettingsQuery = (project: number) =>
  queryOptions({
    queryKey: ['incident-analysis', project],
    queryFn: async ({ signal }) => (await send<AnalysisSettings>('GET', analysis(project), { signal })).data,
  });

export const setAnalysisSettings = (project: number, version: number, investigate: AnalysisSettings['investigate']) =>
  put<AnalysisSettings>(analysis(project), { investigate }, seen(version));
