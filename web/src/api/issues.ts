import { queryOptions } from '@tanstack/react-query';
import { type RangeSearch, resolveRange } from '../frame/range.ts';
import { get, list, post, put, seen, send } from './client.ts';
import { type Following, pages, within } from './pages.ts';
import { ranged } from './ranged.ts';
import type {
  Facets,
  InAppEdit,
  InAppRules,
  Issue,
  IssueDetail,
  IssueEdit,
  IssueItem,
  IssueOccurrence,
  IssuePage,
  IssueStats,
  Occurrence,
  Person,
} from './types.ts';

export const ISSUE_STATES = ['open', 'new', 'regressed', 'ongoing', 'resolved', 'ignored'] as const;
export type IssueTab = (typeof ISSUE_STATES)[number];
export const ISSUE_SORTS = ['last_seen', 'first_seen', 'count', 'users'] as const;
export type IssueSort = (typeof ISSUE_SORTS)[number];

const base = (project: number) => `/projects/${project}/issues`;
const one = (project: number, id: number) => `${base(project)}/${id}`;

export interface IssueFilter {
  state: IssueTab;
  q?: string;
  service?: string;
  version?: string;
  /** An account; -1 is nobody. */
  assignee?: number;
}

interface Asked extends IssueFilter {
  sort: IssueSort;
}

export const issuesQuery = (project: number, asked: Asked, following: Following) =>
  pages<IssueItem>({
    project,
    kind: 'issues',
    path: base(project),
    query: { ...asked },
    limit: 50,
    every: 15_000,
    ...following,
  });

/** By what the issues can be narrowed down, with counts. */
export const issueFacetsQuery = (project: number, filter: IssueFilter, following: Following) =>
  ranged<Facets>({
    kind: 'issue-facets',
    path: `/projects/${project}/issue-facets`,
    query: { ...filter },
    ...following,
  });

/** What a page of issues tells beside its items. */
export const aboutPage = (page: object | undefined) =>
  page as Pick<IssuePage, 'states' | 'from' | 'step_seconds'> | undefined;

export const issueQuery = (project: number, id: number) =>
  queryOptions({
    queryKey: ['issue', project, id],
    queryFn: ({ signal }) => get<IssueDetail>(one(project, id), undefined, signal),
    refetchInterval: 30_000,
  });

const window = (range: RangeSearch, pausedAt?: number) => {
  const { since, until } = resolveRange(range, pausedAt ?? Date.now());
  return { from: since, to: until };
};

export const statsQuery = (project: number, id: number, range: RangeSearch, pausedAt?: number) =>
  queryOptions({
    queryKey: ['issue-stats', project, id, range],
    queryFn: ({ signal }) => get<IssueStats>(`${one(project, id)}/stats`, window(range, pausedAt), signal),
    placeholderData: within(project),
    refetchInterval: pausedAt === undefined && 30_000,
  });

export const occurrenceQuery = (project: number, id: number, occurrence: string, range: RangeSearch) =>
  queryOptions({
    queryKey: ['issue-occurrence', project, id, occurrence, range],
    queryFn: ({ signal }) =>
      get<IssueOccurrence>(`${one(project, id)}/occurrences/${occurrence}`, window(range), signal),
    placeholderData: within(project),
    retry: false,
  });

export const occurrencesQuery = (project: number, id: number, following: Following) =>
  pages<Occurrence>({
    project,
    kind: 'issue-occurrences',
    path: `${one(project, id)}/occurrences`,
    query: {},
    limit: 20,
    every: 30_000,
    hold: true,
    ...following,
  });

export const peopleQuery = (project: number) =>
  list<Person>(`/projects/${project}/issue-people`, ['issue-people', project]);

/** What an issue is now, as an edit would say it. */
export const editOf = (issue: Issue): IssueEdit => ({
  state: issue.state,
  resolved_version: issue.resolved_version || undefined,
  ignored_until: issue.ignored_until ?? undefined,
  ignored_count: issue.ignored_count || undefined,
  assignee_id: issue.assignee_id || undefined,
});

/** An edit that leaves the person and changes the state. */
export const turned = (issue: Issue, state: IssueEdit['state'], how: Partial<IssueEdit> = {}): IssueEdit => ({
  state,
  assignee_id: issue.assignee_id || undefined,
  ...how,
});

export const updateIssue = (issue: Issue, edit: IssueEdit) =>
  put<Issue>(one(issue.project_id, issue.id), edit, seen(issue.version));

export const commentIssue = (project: number, id: number, text: string) =>
  post<void>(`${one(project, id)}/comments`, { text });

export const mergeIssues = (project: number, id: number, issues: number[]) =>
  post<Issue>(`${one(project, id)}/merge`, { issues });

export const splitIssue = (project: number, id: number, fingerprints: string[]) =>
  post<Issue>(`${one(project, id)}/split`, { fingerprints });

export const inAppQuery = (project: number) =>
  queryOptions({
    queryKey: ['in-app-rules', project],
    queryFn: async ({ signal }) =>
      (await send<InAppRules>('GET', `/projects/${project}/in-app-rules`, { signal })).data,
  });

export const updateInApp = (project: number, version: number, edit: InAppEdit) =>
  put<InAppRules>(`/projects/${project}/in-app-rules`, edit, seen(version));
