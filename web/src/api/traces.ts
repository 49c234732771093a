import { queryOptions } from '@tanstack/react-query';
import { type RangeSearch, resolveRange } from '../frame/range.ts';
import { get } from './client.ts';
import { type Dated, type Following, pages, within } from './pages.ts';
import type {
  Comparison,
  FoundSpans,
  LogRecord,
  Outline,
  Page,
  Profile,
  ResourceAttributes,
  Span,
  SpanKind,
  Transaction,
  TransactionCount,
} from './types.ts';

export const traceQuery = (project: number, traceId: string) =>
  queryOptions({
    queryKey: ['trace', project, traceId],
    queryFn: ({ signal }) => get<Outline>(`/projects/${project}/traces/${traceId}`, undefined, signal),
    staleTime: 30_000,
    structuralSharing: false, // of fifty thousand spans, comparing each costs more than drawing them
  });

/** All that is stored of one span; kind tells two apart that share the id. */
export const spanQuery = (project: number, traceId: string, span: string, kind?: SpanKind) =>
  queryOptions({
    queryKey: ['span', project, traceId, span, kind],
    queryFn: ({ signal }) => get<Span>(`/projects/${project}/traces/${traceId}/spans/${span}`, { kind }, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The ids of the spans that hold a text. */
export const traceSearchQuery = (project: number, traceId: string, text: string) =>
  queryOptions({
    queryKey: ['trace-search', project, traceId, text],
    queryFn: async ({ signal }) =>
      (await get<FoundSpans>(`/projects/${project}/traces/${traceId}/search`, { text }, signal)).span_ids,
    staleTime: 30_000,
  });

/** The transaction of a span against what is usual; '' is the trace's longest. */
export const comparisonQuery = (project: number, traceId: string, span: string) =>
  queryOptions({
    queryKey: ['comparison', project, traceId, span],
    queryFn: ({ signal }) => get<Comparison>(`/projects/${project}/traces/${traceId}/usual`, { span }, signal),
    staleTime: 300_000,
  });

/** What the senders of a range say of themselves: what resource.<key> can be asked for. */
export const sendersQuery = (project: number, range: RangeSearch) =>
  queryOptions({
    queryKey: ['senders', project, range],
    queryFn: ({ signal }) =>
      get<ResourceAttributes>(
        `/projects/${project}/resource-attributes`,
        { from: resolveRange(range, Date.now()).since },
        signal,
      ),
    staleTime: 60_000,
  });

/** Where the trace can be downloaded in the JSON encoding of OTLP. */
export const downloadAddress = (project: number, traceId: string) =>
  `/api/v1/projects/${project}/traces/${traceId}/otlp`;

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

/** How many transactions a list has that was begun for these ends. */
export const transactionCountQuery = (
  project: number,
  { order, ...filter }: TransactionFilter,
  begun: Dated<Transaction> | undefined,
) =>
  queryOptions({
    queryKey: ['transaction-count', project, filter, begun?.window ?? null],
    queryFn: async ({ signal }) =>
      (await get<TransactionCount>(`/projects/${project}/transactions/count`, { ...filter, ...begun?.window }, signal))
        .total,
    enabled: begun !== undefined,
    placeholderData: within(project),
  });

/** Log records of a trace, the oldest first. */
export const traceLogsQuery = (project: number, asked: { q: string; from: string; to: string }) =>
  queryOptions({
    queryKey: ['trace-logs', project, asked],
    queryFn: ({ signal }) =>
      get<Page<LogRecord>>(`/projects/${project}/logs`, { ...asked, order: 'oldest', limit: 500 }, signal),
    staleTime: 30_000,
  });
