import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { type RangeSearch, resolveRange } from '../frame/range.ts';
import { get } from './client.ts';
import { type Following, pages, within } from './pages.ts';
import type { LogDetails, LogFacets, LogHistogram, LogPattern, LogRecord, LogTail, Page } from './types.ts';

/** Which records: a query, and levels separated by commas. */
export interface LogFilter {
  q?: string;
  levels?: string;
}

const path = (project: number, rest = '') => `/projects/${project}/logs${rest}`;

export const logsQuery = (project: number, filter: LogFilter & { order: 'newest' | 'oldest' }, following: Following) =>
  pages<LogRecord>({
    project,
    kind: 'logs',
    path: path(project),
    query: { ...filter },
    limit: 200,
    every: 15_000,
    hold: true,
    ...following,
  });

/** What is told about all records of a filter, renewed like the list. */
const about =
  <T>(kind: string, rest: string) =>
  (project: number, filter: LogFilter, { range = {}, pausedAt }: Following) =>
    queryOptions({
      queryKey: [kind, project, filter, range],
      queryFn: ({ signal }) => {
        const { since, until } = resolveRange(range, pausedAt ?? Date.now());
        return get<T>(path(project, rest), { ...filter, from: since, to: until }, signal);
      },
      placeholderData: within(project),
      refetchInterval: pausedAt === undefined ? 15_000 : false,
      refetchOnWindowFocus: pausedAt === undefined,
    });

export const logHistogramQuery = about<LogHistogram>('log-histogram', '/histogram');
export const logFieldsQuery = about<LogFacets>('log-fields', '/fields');
export const logPatternsQuery = about<Page<LogPattern>>('log-patterns', '/patterns');

export const logQuery = (project: number, id: string) =>
  queryOptions({
    queryKey: ['log', project, id],
    queryFn: ({ signal }) => get<LogDetails>(path(project, `/${id}`), undefined, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** What the same process wrote around a record; more of it keeps what is shown until it comes. */
export const logContextQuery = (project: number, id: string, before: number, after: number) =>
  queryOptions({
    queryKey: ['log-context', project, id, before, after],
    queryFn: ({ signal }) => get<Page<LogRecord>>(path(project, `/${id}/context`), { before, after }, signal),
    placeholderData: (previous, last) => (last?.queryKey[2] === id ? within(project)(previous, last) : undefined),
    staleTime: 60_000,
  });

/** How many records a live tail keeps. */
export const TAIL_KEEPS = 2000;

/** What a live tail has seen since it began. */
export interface Tailed {
  items: LogRecord[];
  next: string;
  /** Records that came faster than they could be shown. */
  skipped: number;
}

/** A live tail: every answer adds what has arrived since the one before. */
export const logTailQuery = (client: QueryClient, project: number, filter: LogFilter, follow: boolean) => {
  const queryKey = ['log-tail', project, filter];
  return queryOptions({
    queryKey,
    queryFn: async ({ signal }): Promise<Tailed> => {
      const before = client.getQueryData<Tailed>(queryKey);
      const answer = await get<LogTail>(path(project, '/tail'), { ...filter, after: before?.next, limit: 500 }, signal);
      return appended(before, answer);
    },
    structuralSharing: false,
    gcTime: 0,
    refetchInterval: follow ? 1500 : false,
    refetchOnWindowFocus: false,
  });
};

/** Puts what has arrived behind what is there: in the order of its time, and no record twice. */
export function appended(before: Tailed | undefined, answer: LogTail): Tailed {
  const known = new Set(before?.items.map((item) => item.id));
  const fresh = answer.items.filter((item) => !known.has(item.id)).sort((a, b) => (a.id < b.id ? -1 : 1)); // an id begins with the time in ns
  return {
    items: [...(before?.items ?? []), ...fresh].slice(-TAIL_KEEPS),
    next: answer.next,
    skipped: (before?.skipped ?? 0) + answer.skipped,
  };
}

/** How many records a download holds at most. */
export const DOWNLOAD_LIMIT = 10_000;

/** Reads the records of a filter one page after the other, up to DOWNLOAD_LIMIT. */
export async function readLogs(
  project: number,
  filter: LogFilter & { order: 'newest' | 'oldest' },
  range: RangeSearch,
  progress: (read: number) => void,
): Promise<LogRecord[]> {
  const { since, until } = resolveRange(range, Date.now());
  const all: LogRecord[] = [];
  let cursor = '';
  do {
    const page = await get<Page<LogRecord>>(path(project), { ...filter, from: since, to: until, cursor, limit: 1000 });
    all.push(...page.items);
    cursor = page.next_cursor;
    progress(all.length);
  } while (cursor && all.length < DOWNLOAD_LIMIT);
  return all.slice(0, DOWNLOAD_LIMIT);
}
