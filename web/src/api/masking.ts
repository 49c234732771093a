import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, seen } from './client.ts';
import type { MaskClass, Masking, MaskingOutcome, MaskingTest, MaskPolicy } from './types.ts';

/** The classes of values that are masked, which only another version of the product changes. */
export const maskClassesQuery = queryOptions({
  ...list<MaskClass>('/ai/masking/classes', ['mask-classes']),
  staleTime: Number.POSITIVE_INFINITY,
});

export const maskingQuery = (project: number) =>
  queryOptions({
    queryKey: ['masking', project],
    queryFn: ({ signal }) => get<Masking>(`/projects/${project}/ai-masking`, undefined, signal),
  });

/** Every version of what a project masks, newest first. */
export const maskingHistoryQuery = (project: number) =>
  list<Masking>(`/projects/${project}/ai-masking/history`, ['masking', project, 'history']);

/** version is the one the edit began on: the server refuses when somebody was faster. */
export const setMasking = (project: number, version: number, policy: MaskPolicy, reason: string) =>
  put<Masking>(`/projects/${project}/ai-masking`, { policy, reason }, seen(version));

/** What of a text would leave. Nothing of it is kept: not here either, once it is not on the screen. */
export const trialQuery = (project: number, test: MaskingTest) =>
  queryOptions({
    queryKey: ['masking-trial', project, test],
    queryFn: () => post<MaskingOutcome>(`/ai/masking/test?project=${project}`, test),
    enabled: project > 0 && Boolean(test.text ?? test.json),
    retry: false,
    gcTime: 0,
  });
