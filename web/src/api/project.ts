import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove, seen } from './client.ts';
import type {
  Channel,
  ChannelEdit,
  ChannelPreview,
  ChannelPreviewRequest,
  DeliveryPage,
  Footprint,
  Home,
  Key,
  NewKey,
  Project,
  ProjectSettings,
  Routing,
  RoutingEdit,
  Rule,
  RuleChange,
  RuleEdit,
  Setup,
} from './types.ts';

export const setupQuery = (project: number) =>
  queryOptions({
    queryKey: ['setup', project],
    queryFn: ({ signal }) => get<Setup>(`/projects/${project}/setup`, undefined, signal),
    staleTime: 60_000,
  });

export const homeQuery = (project: number) =>
  queryOptions({
    queryKey: ['home', project],
    queryFn: ({ signal }) => get<Home>(`/projects/${project}/home`, undefined, signal),
    staleTime: 30_000,
  });

export const projectQuery = (project: number) =>
  queryOptions({
    queryKey: ['project', project],
    queryFn: ({ signal }) => get<Project>(`/projects/${project}`, undefined, signal),
  });
export const updateProject = ({ id, version }: Project, settings: ProjectSettings) =>
  put<Project>(`/projects/${id}`, settings, seen(version));
export const deleteProject = ({ id, version }: Project) => remove(`/projects/${id}`, seen(version));

export const storageQuery = (project: number) =>
  queryOptions({
    queryKey: ['storage', project],
    queryFn: ({ signal }) => get<Footprint>(`/projects/${project}/storage`, undefined, signal),
    staleTime: 60_000,
  });

export const keysQuery = (project: number) => list<Key>(`/projects/${project}/keys`, ['keys', project]);
export const createKey = (project: number, name: string) => post<NewKey>(`/projects/${project}/keys`, { name });
export const revokeKey = (project: number, key: number) => remove(`/projects/${project}/keys/${key}`);

export const rulesQuery = (project: number) => list<Rule>(`/projects/${project}/rules`, ['rules', project]);
export const createRule = (project: number, rule: RuleEdit) => post<Rule>(`/projects/${project}/rules`, rule);
export const updateRule = (project: number, id: number, version: number, rule: RuleEdit) =>
  put<Rule>(`/projects/${project}/rules/${id}`, rule, seen(version));
export const deleteRule = (project: number, { id, version }: Rule) =>
  remove(`/projects/${project}/rules/${id}`, seen(version));

export const ruleHistoryQuery = (project: number, id: number) =>
  list<RuleChange>(`/projects/${project}/rules/${id}/history`, ['rules', project, id, 'history']);

export const channelsQuery = (project: number) => list<Channel>(`/projects/${project}/channels`, ['channels', project]);
export const channelKindsQuery = queryOptions({
  queryKey: ['channel-kinds'],
  queryFn: async ({ signal }) => (await get<{ kinds: string[] }>('/channel-kinds', undefined, signal)).kinds,
  staleTime: Number.POSITIVE_INFINITY,
});
export const createChannel = (project: number, channel: ChannelEdit) =>
  post<Channel>(`/projects/${project}/channels`, channel);
export const updateChannel = (project: number, id: number, version: number, channel: ChannelEdit) =>
  put<Channel>(`/projects/${project}/channels/${id}`, channel, seen(version));
export const deleteChannel = (project: number, id: number) => remove(`/projects/${project}/channels/${id}`);
export const testChannel = (project: number, id: number) => post<void>(`/projects/${project}/channels/${id}/test`);
export const previewChannel = (project: number, asked: ChannelPreviewRequest) =>
  post<ChannelPreview>(`/projects/${project}/channel-preview`, asked);

export const routingQuery = (project: number) =>
  queryOptions({
    queryKey: ['channel-routing', project],
    queryFn: ({ signal }) => get<Routing>(`/projects/${project}/channel-routing`, undefined, signal),
  });
export const updateRouting = (project: number, version: number, routing: RoutingEdit) =>
  put<Routing>(`/projects/${project}/channel-routing`, routing, seen(version));

/** What became of the project's messages, newest first; it renews itself while only its beginning is looked at. */
export const deliveriesQuery = (project: number, of: { channel?: number; state?: string }) =>
  infiniteQueryOptions({
    queryKey: ['channel-deliveries', project, of],
    queryFn: ({ pageParam, signal }) =>
      get<DeliveryPage>(`/projects/${project}/channel-deliveries`, { ...of, cursor: pageParam, limit: 50 }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor || undefined,
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : 10_000),
  });
