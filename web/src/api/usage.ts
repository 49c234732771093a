import { queryOptions } from '@tanstack/react-query';
import { get } from './client.ts';
import type { Following } from './pages.ts';
import { ranged } from './ranged.ts';
import type { Bill, UsageReport } from './types.ts';

/** Whose use is told: of the project, of its organisation, of the installation, one's own. */
export const USAGE_SCOPES = ['project', 'org', 'all', 'me'] as const;
export type UsageScope = (typeof USAGE_SCOPES)[number];

export const USAGE_DIMENSIONS = [
  'org',
  'group',
  'project',
  'person',
  'token',
  'purpose',
  'role',
  'provider',
  'model',
] as const;
export type UsageDimension = (typeof USAGE_DIMENSIONS)[number];

/** What use is narrowed to: one of each dimension, as a row of a report names it. */
export type UsageFilter = Partial<Record<UsageDimension, string>>;

export const USAGE_MEASURES = ['cost', 'tokens', 'calls', 'failed'] as const;
export type UsageMeasure = (typeof USAGE_MEASURES)[number];

/** A filter as the API's paths have it. */
const asked = ({ org, group, project, ...rest }: UsageFilter) => ({
  org_id: org,
  group_id: group,
  project_id: project,
  ...rest,
});

/** What was used below a path of the API, beside the time before. */
export const usageQuery = (base: string, by: UsageDimension, filter: UsageFilter, following: Following) =>
  ranged<UsageReport>({
    kind: 'usage',
    path: `${base}/ai-usage`,
    query: { by, compare: true, ...asked(filter) },
    ...following,
  });

export const billQuery = (base: string, filter: UsageFilter) =>
  queryOptions({
    queryKey: ['bill', base, filter],
    queryFn: ({ signal }) => get<Bill>(`${base}/ai-bill`, asked(filter), signal),
    staleTime: 60_000,
  });

/** The address of the table of a report, for spreadsheets. */
export function usageTable(
  base: string,
  { from, to, by }: Pick<UsageReport, 'from' | 'to' | 'by'>,
  filter: UsageFilter,
): string {
  const query = new URLSearchParams({ from, to, by });
  for (const [name, value] of Object.entries(asked(filter))) if (value) query.set(name, value);
  return `/api/v1${base}/ai-usage.csv?${query}`;
}
