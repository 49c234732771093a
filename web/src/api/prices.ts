import { queryOptions } from '@tanstack/react-query';
import { get, put, remove } from './client.ts';
import type { Price, PriceEdit } from './types.ts';

export const pricesQuery = queryOptions({
  queryKey: ['prices'],
  queryFn: async ({ signal }) => (await get<{ items: Price[] }>('/ai-prices', undefined, signal)).items,
});

/** The names of the model providers: those of the configuration file, and those that people store. */
export const providersQuery = queryOptions({
  queryKey: ['providers', 'names'],
  queryFn: async ({ signal }) => {
    const { items } = await get<{ items: { name: string }[] }>('/ai-providers', undefined, signal);
    return [...new Set(items.map((provider) => provider.name))];
  },
});

type Named = Pick<Price, 'provider' | 'model'>;

const path = ({ provider, model }: Named) => `/ai-prices/${encodeURIComponent(provider)}/${encodeURIComponent(model)}`;

export const setPrice = (of: Named, edit: PriceEdit) => put<Price>(path(of), edit);
export const deletePrice = (of: Named) => remove(path(of));
