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

export const USAGE_MEASURES = ['cost', 'tokens', 'calls', 'failed'] as const;
export type UsageMeasure = (typeof USAGE_MEASURES)[number];

/** What was used below a path of the API, beside the time before. */
export const usageQuery = (base: string, by: UsageDimension, following: Following) =>
  ranged<UsageReport>({ kind: 'usage', path: `${base}/ai-usage`, query: { by, compare: true }, ...following });

export const billQuery = (base: string) =>
  queryOptions({
    queryKey: ['bill', base],
    queryFn: ({ signal }) => get<Bill>(`${base}/ai-bill`, undefined, signal),
    staleTime: 60_000,
  });

/** The address of the table of a report, for spreadsheets. */
export const usageTable = (base: string, { from, to, by }: Pick<UsageReport, 'from' | 'to' | 'by'>) =>
  `/api/v1${base}/ai-usage.csv?${new URLSearchParams({ from, to, by })}`;
