import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove, seen } from './client.ts';
import { ownerPath } from './owner.ts';
import type { KeyCheck, KeyHealth, ModelService, NewProvider, ProviderEdit, SharedService } from './types.ts';

/** The model providers of an owner with their keys: those of the configuration file, and those that people store. */
export const modelServicesQuery = (org: number) =>
  list<ModelService>(`${ownerPath(org)}/ai-providers`, ['providers', org, 'all']);

/** The names of an owner's model providers. */
export const providerNamesQuery = (org: number) =>
  queryOptions({ ...modelServicesQuery(org), select: (all) => [...new Set(all.map((each) => each.name))] });

/** What an organisation may know of the providers that all share. */
export const sharedServicesQuery = (org: number) =>
  list<SharedService>(`/orgs/${org}/ai-shared-providers`, ['providers', org, 'shared']);

/** What providers can be made of; nothing where none can be stored. */
export const providerKindsQuery = (org: number) =>
  queryOptions({
    queryKey: ['provider-kinds', org],
    queryFn: async ({ signal }) =>
      (await get<{ kinds: string[] }>(`${ownerPath(org)}/ai-provider-kinds`, undefined, signal)).kinds,
  });

/** How calls with each key went, on all nodes. */
export const keyHealthQuery = (org: number, pausedAt?: number) =>
  queryOptions({
    ...list<KeyHealth>(`${ownerPath(org)}/ai-provider-health`, ['provider-health', org]),
    refetchInterval: pausedAt === undefined && 15_000,
  });

type Named = Pick<ModelService, 'org_id' | 'name'>;

const path = ({ org_id, name }: Named) => `${ownerPath(org_id)}/ai-providers/${encodeURIComponent(name)}`;
const keyPath = (of: Named, key: string) => `${path(of)}/keys/${encodeURIComponent(key)}`;

export const createProvider = (org: number, made: NewProvider) =>
  post<ModelService>(`${ownerPath(org)}/ai-providers`, made);
export const updateProvider = (of: ModelService, edit: ProviderEdit) =>
  put<ModelService>(path(of), edit, seen(of.version));
export const deleteProvider = (of: ModelService) => remove(path(of), seen(of.version));

export const addKey = (of: Named, alias: string, secret: string) =>
  post<ModelService>(`${path(of)}/keys`, { alias, secret });
/** Switches a key; an empty secret leaves the one there is. */
export const setKey = (of: Named, alias: string, enabled: boolean, secret = '') =>
  put<ModelService>(keyPath(of, alias), { enabled, ...(secret && { secret }) });
export const deleteKey = (of: Named, alias: string) => remove(keyPath(of, alias));
/** Asks a model for a word; without one, has the models listed. */
export const checkKey = (of: Named, alias: string, model: string, project?: number) =>
  post<KeyCheck>(`${keyPath(of, alias)}/check${project ? `?project=${project}` : ''}`, model ? { model } : {});
