import { queryOptions } from '@tanstack/react-query';
import { get, list, put, remove } from './client.ts';
import type { Capability, CapabilityEdit, Shipping } from './types.ts';

/** What models do not take. */
export const capabilitiesQuery = list<Capability>('/ai-capabilities', ['capabilities']);

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
