import { queryOptions } from '@tanstack/react-query';
import { list, post } from './client.ts';
import { ownerPath } from './owner.ts';
import type { Circuit, CircuitEdit } from './types.ts';

/** The circuits of an owner's providers on the node that answers, those that are not closed first. */
export const circuitsQuery = (org: number, pausedAt?: number) =>
  queryOptions({
    ...list<Circuit>(`${ownerPath(org)}/ai-circuits`, ['circuits', org]),
    refetchInterval: pausedAt === undefined && 5_000,
  });

export const openCircuit = (org: number, of: CircuitEdit) => post<void>(`${ownerPath(org)}/ai-circuits/open`, of);
export const closeCircuit = (org: number, { provider, model, key }: CircuitEdit) =>
  post<void>(`${ownerPath(org)}/ai-circuits/close`, { provider, model, key });
