import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove, seen } from './client.ts';
import type { KeyCheck, KeyHealth, ModelService, NewProvider, ProviderEdit } from './types.ts';

/** The model providers with their keys: those of the configuration file, and those that people store. */
export const modelServicesQuery = list<ModelService>('/ai-providers', ['providers', 'all']);

/** What providers can be made of; nothing where none can be stored. */
export const providerKindsQuery = queryOptions({
  queryKey: ['provider-kinds'],
  queryFn: async ({ signal }) => (await get<{ kinds: string[] }>('/ai-provider-kinds', undefined, signal)).kinds,
});

/** How calls with each key went, on all nodes. */
export const keyHealthQuery = (pausedAt?: number) =>
  queryOptions({
    ...list<KeyHealth>('/ai-provider-health', ['provider-health']),
    refetchInterval: pausedAt === undefined && 15_000,
  });

const path = (name: string) => `/ai-providers/${encodeURIComponent(name)}`;
const keyPath = (name: string, key: string) => `${path(name)}/keys/${encodeURIComponent(key)}`;

export const createProvider = (made: NewProvider) => post<ModelService>('/ai-providers', made);
export const updateProvider = ({ name, version }: ModelService, edit: ProviderEdit) =>
  put<ModelService>(path(name), edit, seen(version));
export const deleteProvider = ({ name, version }: ModelService) => remove(path(name), seen(version));

export const addKey = (name: string, alias: string, secret: string) =>
  post<ModelService>(`${path(name)}/keys`, { alias, secret });
/** Switches a key; an empty secret leaves the one there is. */
export const setKey = (name: string, alias: string, enabled: boolean, secret = '') =>
  put<ModelService>(keyPath(name, alias), { enabled, ...(secret && { secret }) });
export const deleteKey = (name: string, alias: string) => remove(keyPath(name, alias));
/** Asks a model for a word; without one, has the models listed. */
export const checkKey = (name: string, alias: string, model: string) =>
  post<KeyCheck>(`${keyPath(name, alias)}/check`, model ? { model } : {});
