import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove } from './client.ts';
import type { Capability, CapabilityEdit, Circuit, CircuitEdit, Shipping } from './types.ts';

/** What models do not take. */
export const capabilitiesQuery = list<Capability>('/ai-capabilities', ['capabilities']);

/** The circuits of the node that answers, those that are not closed first. */
export const circuitsQuery = (pausedAt?: number) =>
  queryOptions({
    queryKey: ['circuits'],
    queryFn: async ({ signal }) => (await get<{ items: Circuit[] }>('/ai-circuits', undefined, signal)).items,
    refetchInterval: pausedAt === undefined && 5_000,
  });

/** How the records of calls get to a search engine. */
export const shippingQuery = (pausedAt?: number) =>
  queryOptions({
    queryKey: ['shipping'],
    queryFn: ({ signal }) => get<Shipping>('/ai-shipping', undefined, signal),
    refetchInterval: pausedAt === undefined && 10_000,
  });

type Named = Pick<Capability, 'provider' | 'model'>;

const path = ({ provider, model }: Named) =>
  `/ai-capabilities/${encodeURIComponent(provider)}/${encodeURIComponent(model)}`;

export const setCapability = (of: Named, edit: CapabilityEdit) => put<Capability>(path(of), edit);
export const deleteCapability = (of: Named) => remove(path(of));

export const openCircuit = (of: CircuitEdit) => post<void>('/ai-circuits/open', of);
export const closeCircuit = ({ provider, model, key }: CircuitEdit) =>
  post<void>('/ai-circuits/close', { provider, model, key });
