import { queryOptions } from '@tanstack/react-query';
import { resolveRange } from '../frame/range.ts';
import { get } from './client.ts';
import type { Following } from './pages.ts';

interface Options extends Following {
  kind: string;
  /** Names what is asked about; what is shown stays until the next answer of the same path. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
}

/** One answer about a time range that renews itself every half minute. A relative range is resolved anew each time. */
export const ranged = <T>({ kind, path, query = {}, range = {}, pausedAt }: Options) =>
  queryOptions({
    queryKey: [kind, path, query, range, pausedAt ?? null],
    queryFn: ({ signal }) => {
      const { since, until } = resolveRange(range, pausedAt ?? Date.now());
      return get<T>(path, { ...query, from: since, to: until }, signal);
    },
    placeholderData: about(path),
    refetchInterval: pausedAt === undefined && 30_000,
    refetchOnWindowFocus: pausedAt === undefined,
  });

/** Keeps what is shown until the next answer about the same thing, whatever else was asked about it. */
const about =
  (path: string) =>
  <T>(previous: T | undefined, last: { queryKey: readonly unknown[] } | undefined): T | undefined =>
    last?.queryKey[1] === path ? previous : undefined;
