import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { get } from './client.ts';
import type { Page, Profile, Trace, Transaction } from './types.ts';

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
  from: string;
  to: string;
  service?: string;
  endpoint?: string;
  min_elapsed_ns?: number;
  errors?: boolean;
  order: 'newest' | 'slowest';
}

export const transactionsQuery = (project: number, filter: TransactionFilter) =>
  infiniteQueryOptions({
    queryKey: ['transactions', project, filter],
    queryFn: ({ pageParam, signal }) =>
      get<Page<Transaction>>(`/projects/${project}/transactions`, { ...filter, cursor: pageParam, limit: 100 }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor || undefined,
    placeholderData: keepPreviousData,
  });
