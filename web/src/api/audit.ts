import { infiniteQueryOptions } from '@tanstack/react-query';
import { type RangeSearch, resolveRange } from '../frame/range.ts';
import { get } from './client.ts';
import type { AuditPage } from './types.ts';

export interface AuditFilter {
  actor?: string;
  operation?: string;
  object?: string;
  kind?: 'change' | 'read';
  outcome?: 'begun' | 'done' | 'denied' | 'failed';
}

const auditPath = (org?: number) => (org ? `/orgs/${org}/audit` : '/audit');

type Asked = AuditFilter & { from?: string; to?: string; cursor?: string };

const asked = (filter: AuditFilter, range: RangeSearch, now: number): Asked => {
  const { since, until } = resolveRange(range, now);
  return { ...filter, from: since, to: until };
};

/** Who did what in an organisation, or without one in the installation, newest first. */
export const auditQuery = (org: number | undefined, filter: AuditFilter, range: RangeSearch) =>
  infiniteQueryOptions({
    queryKey: ['audit', org ?? 0, filter, range],
    queryFn: async ({ pageParam, signal }) => {
      const query = pageParam ?? asked(filter, range, Date.now());
      return { ...(await get<AuditPage>(auditPath(org), { ...query, limit: 100 }, signal)), query };
    },
    initialPageParam: undefined as Asked | undefined,
    getNextPageParam: ({ next_cursor, query }) => (next_cursor ? { ...query, cursor: next_cursor } : undefined),
  });

/** Where the browser gets the same as a file. */
export function auditFile(org: number | undefined, filter: AuditFilter, range: RangeSearch, format: 'csv' | 'ndjson') {
  const params = new URLSearchParams({ format });
  for (const [name, value] of Object.entries(asked(filter, range, Date.now()))) if (value) params.set(name, value);
  return `/api/v1${auditPath(org)}/export?${params}`;
}
