import { queryOptions } from '@tanstack/react-query';
import { get, put, remove } from './client.ts';
import type { Price, PriceEdit } from './types.ts';

export const pricesQuery = queryOptions({
  queryKey: ['prices'],
  queryFn: async ({ signal }) => (await get<{ items: Price[] }>('/ai-prices', undefined, signal)).items,
});

/** The providers of the configuration, which only a restart changes. */
export const providersQuery = queryOptions({
  queryKey: ['providers'],
  queryFn: async ({ signal }) => (await get<{ items: string[] }>('/ai-providers', undefined, signal)).items,
  staleTime: 300_000,
});

type Named = Pick<Price, 'provider' | 'model'>;

const path = ({ provider, model }: Named) => `/ai-prices/${encodeURIComponent(provider)}/${encodeURIComponent(model)}`;

export const setPrice = (of: Named, edit: PriceEdit) => put<Price>(path(of), edit);
export const deletePrice = (of: Named) => remove(path(of));
