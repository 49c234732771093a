import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove } from './client.ts';
import type { Following } from './pages.ts';
import { ranged } from './ranged.ts';
import type { Price, PriceEdit, Recount, Top, UnpricedModel } from './types.ts';

export const pricesQuery = list<Price>('/ai-prices', ['prices']);

/** The names of the model providers: those of the configuration file, and those that people store. */
export const providersQuery = queryOptions({
  queryKey: ['providers', 'names'],
  queryFn: async ({ signal }) => {
    const { items } = await get<{ items: { name: string }[] }>('/ai-providers', undefined, signal);
    return [...new Set(items.map((provider) => provider.name))];
  },
});

export type Named = Pick<Price, 'provider' | 'model'>;

const path = ({ provider, model }: Named) => `/ai-prices/${encodeURIComponent(provider)}/${encodeURIComponent(model)}`;

/** All that was ever said of a model's price, the latest to hold first. */
export const priceHistoryQuery = (of: Named) => list<Price>(path(of), ['prices', 'history', of.provider, of.model]);

export const setPrice = (of: Named, edit: PriceEdit) => put<Price>(path(of), edit);
export const deletePrice = (of: Named) => remove(path(of));
export const withdrawPrice = (version: number) => remove(`/ai-price-versions/${version}`);

/** The models that used tokens without a known price, those of the most tokens first. */
export const unpricedQuery = (following: Following) =>
  ranged<Top<UnpricedModel>>({ kind: 'unpriced', path: '/ai-unpriced-models', ...following });

/** The latest recounts of costs; while one runs it is asked about every second. */
export const recountsQuery = queryOptions({
  ...list<Recount>('/ai-recounts', ['recounts']),
  refetchInterval: ({ state }) => state.data?.some((each) => each.state === 'running') && 1000,
});

export const startRecount = (from: string) => post<Recount>('/ai-recounts', { from });
export const cancelRecount = (id: number) => remove(`/ai-recounts/${id}`);
