import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove, seen } from './client.ts';
import type { Channel, ChannelEdit, Footprint, Home, Key, NewKey, Project, ProjectSettings, Setup } from './types.ts';

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
