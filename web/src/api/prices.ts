import { queryOptions } from '@tanstack/react-query';
import { list, post, put, remove } from './client.ts';
import { ownerPath } from './owner.ts';
import type { Following } from './pages.ts';
import { ranged } from './ranged.ts';
import type { Price, PriceEdit, Recount, Top, UnpricedModel } from './types.ts';

export const pricesQuery = (org: number) => list<Price>(`${ownerPath(org)}/ai-prices`, ['prices', org]);

export type Named = Pick<Price, 'provider' | 'model'>;

const path = (org: number, { provider, model }: Named) =>
  `${ownerPath(org)}/ai-prices/${encodeURIComponent(provider)}/${encodeURIComponent(model)}`;

/** All that was ever said of a model's price, the latest to hold first. */
export const priceHistoryQuery = (org: number, of: Named) =>
  list<Price>(path(org, of), ['prices', org, 'history', of.provider, of.model]);

export const setPrice = (org: number, of: Named, edit: PriceEdit) => put<Price>(path(org, of), edit);
export const deletePrice = (org: number, of: Named) => remove(path(org, of));
export const withdrawPrice = (org: number, version: number) => remove(`${ownerPath(org)}/ai-price-versions/${version}`);

/**
 * The models that used tokens without a known price, those of the most tokens first: of an organisation's own
 * providers, or with 0 of everybody's.
 */
export const unpricedQuery = (org: number, following: Following) =>
  ranged<Top<UnpricedModel>>({ kind: 'unpriced', path: `${ownerPath(org)}/ai-unpriced-models`, ...following });

/** The latest recounts of costs; while one runs it is asked about every second. */
export const recountsQuery = queryOptions({
  ...list<Recount>('/ai-recounts', ['recounts']),
  refetchInterval: ({ state }) => state.data?.some((each) => each.state === 'running') && 1000,
});

export const startRecount = (from: string) => post<Recount>('/ai-recounts', { from });
export const cancelRecount = (id: number) => remove(`/ai-recounts/${id}`);
