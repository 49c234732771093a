import { queryOptions } from '@tanstack/react-query';
import { get } from './client.ts';
import { type Following, pages } from './pages.ts';
import type { Profile, Trace, Transaction } from './types.ts';

export const traceQuery = (project: number, traceId: string) =>
  queryOptions({
    queryKey: ['trace', project, traceId],
    queryFn: ({ signal }) => get<Trace>(`/projects/${project}/traces/${traceId}`, undefined, signal),
    staleTime: 30_000,
  });

export const profileQuery = (project: number, traceId: string, span: string) =>
  queryOptions({
    queryKey: ['profile', project, traceId, span],
    queryFn: ({ signal }) => get<Profile>(`/projects/${project}/traces/${traceId}/profile`, { span }, signal),
    staleTime: 30_000,
  });

export interface TransactionFilter {
  service?: string;
  endpoint?: string;
  min_elapsed_ns?: number;
  max_elapsed_ns?: number;
  errors?: boolean;
  /** A search of the query language. */
  q?: string;
  order: 'newest' | 'slowest';
}

export const transactionsQuery = (project: number, filter: TransactionFilter, following: Following) =>
  pages<Transaction>({
    project,
    kind: 'transactions',
    path: `/projects/${project}/transactions`,
    query: { ...filter },
    limit: 100,
    every: 30_000,
    hold: true,
    ...following,
  });
