import { queryOptions } from '@tanstack/react-query';
import { get } from './client.ts';
import type { ScrapeStatus } from './types.ts';

/** Targets are asked every few seconds: what became of them is of now, whatever the range. */
export const scrapeQuery = (project: number) =>
  queryOptions({
    queryKey: ['scrape', project],
    queryFn: ({ signal }) => get<ScrapeStatus>(`/projects/${project}/scrape`, undefined, signal),
    refetchInterval: 10_000,
  });
