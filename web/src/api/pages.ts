import { infiniteQueryOptions } from '@tanstack/react-query';
import { type RangeSearch, resolveRange } from '../frame/range.ts';
import { get } from './client.ts';
import type { Page } from './types.ts';

interface Window {
  from?: string;
  to?: string;
}

type Asked = Window & { cursor?: string };

/** A page with the moments it was asked for, so that the next one is asked for the same. */
export type Dated<T> = Page<T> & { window: Window; at: number };

/** How a list follows the address and the time. */
export interface Following {
  /** Absent where a list does not depend on time. A relative range is resolved anew each time the list renews itself. */
  range?: RangeSearch;
  /** Since when the reader has paused, in ms: the list stands still, and a relative range ends then. */
  pausedAt?: number;
}

interface Options extends Following {
  project: number;
  kind: string;
  path: string;
  query: Record<string, string | number | boolean | undefined>;
  limit: number;
  /** ms between renewals. */
  every: number;
  /** Stand still once more than one page is loaded: the rows of a fast list would run away under their reader. */
  hold?: boolean;
}

/** A list that is read page by page and renews itself. Its key names the project second (within). */
export const pages = <T>({ project, kind, path, query, limit, every, hold, range, pausedAt }: Options) => {
  const renews = (loaded: number) => pausedAt === undefined && !(hold && loaded > 1);
  const start = (): Window => {
    if (!range) return {};
    const { since, until } = resolveRange(range, pausedAt ?? Date.now());
    return { from: since, to: until };
  };
  return infiniteQueryOptions({
    queryKey: [kind, project, query, range ?? null],
    queryFn: async ({ pageParam, signal }): Promise<Dated<T>> => {
      const { cursor, ...window } = pageParam ?? (start() as Asked);
      const page = await get<Page<T>>(path, { ...query, ...window, cursor, limit }, signal);
      return { ...page, window, at: Date.now() };
    },
    initialPageParam: undefined as Asked | undefined,
    getNextPageParam: ({ next_cursor, window }) => (next_cursor ? { ...window, cursor: next_cursor } : undefined),
    placeholderData: within(project),
    refetchInterval: ({ state }) => (renews(state.data?.pages.length ?? 0) ? every : false),
    refetchOnWindowFocus: ({ state }) => renews(state.data?.pages.length ?? 0),
  });
};

/** Keeps the rows of the last filter until the next ones arrive, but never one project's under another's name. */
export const within =
  (project: number) =>
  <T>(previous: T | undefined, last: { queryKey: readonly unknown[] } | undefined): T | undefined =>
    last?.queryKey[1] === project ? previous : undefined;
