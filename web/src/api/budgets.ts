import { queryOptions } from '@tanstack/react-query';
import { get, post, put, remove, seen } from './client.ts';
import { ownerPath } from './owner.ts';
import type { Budget, BudgetEdit, BudgetPeriod, BudgetSubject, BudgetUse, NearLimit } from './types.ts';

export const BUDGET_SCOPES = ['all', 'org', 'group', 'project', 'person', 'token', 'role', 'purpose'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];
export const BUDGET_MEASURES = ['tokens', 'requests', 'usd'] as const;
export type BudgetMeasure = (typeof BUDGET_MEASURES)[number];
export const BUDGET_PERIODS = ['minute', 'hour', 'day', 'month'] as const;
export type BudgetPeriodName = (typeof BUDGET_PERIODS)[number];

const path = (org: number, id = '') => `${ownerPath(org)}/ai-budgets${id && `/${encodeURIComponent(id)}`}`;

interface Part<T> {
  items: T[];
  total: number;
}

/** Use changes with every call: what is shown of it renews itself. */
const renewed = (pausedAt?: number) => ({ refetchInterval: pausedAt === undefined && (15_000 as const) });

export const budgetsQuery = (org: number, pausedAt?: number) =>
  queryOptions({
    queryKey: ['budgets', org, 'all'],
    queryFn: async ({ signal }) => (await get<Part<Budget>>(path(org), undefined, signal)).items,
    ...renewed(pausedAt),
  });

/** Who is near a limit, the nearest first; total is how many there are. */
export const nearQuery = (org: number, pausedAt?: number) =>
  queryOptions({
    queryKey: ['budgets', org, 'near'],
    queryFn: ({ signal }) => get<Part<NearLimit>>(path(org, 'near'), undefined, signal),
    ...renewed(pausedAt),
  });

export const budgetQuery = (org: number, id: string, pausedAt?: number) =>
  queryOptions({
    queryKey: ['budgets', org, id],
    queryFn: ({ signal }) => get<Budget>(path(org, id), undefined, signal),
    ...renewed(pausedAt),
  });

/** What was used in the period that a moment is in; without one, in the present. */
export const budgetUseQuery = (org: number, id: string, at: string | undefined, pausedAt?: number) =>
  queryOptions({
    queryKey: ['budgets', org, id, 'use', at ?? ''],
    queryFn: ({ signal }) => get<Part<BudgetUse>>(`${path(org, id)}/use`, { at }, signal),
    ...renewed(pausedAt),
  });

export const budgetPeriodsQuery = (org: number, id: string) =>
  queryOptions({
    queryKey: ['budgets', org, id, 'periods'],
    queryFn: async ({ signal }) => (await get<Part<BudgetPeriod>>(`${path(org, id)}/periods`, undefined, signal)).items,
  });

/** Whom a budget can be about, by a part of the name. */
export const budgetSubjectsQuery = (org: number, scope: BudgetScope, q: string) =>
  queryOptions({
    queryKey: ['budget-subjects', org, scope, q],
    queryFn: async ({ signal }) =>
      (await get<Part<BudgetSubject>>(`${ownerPath(org)}/ai-budget-subjects`, { scope, q }, signal)).items,
    staleTime: 30_000,
  });

export const createBudget = (org: number, edit: BudgetEdit) => post<Budget>(path(org), edit);
export const updateBudget = (org: number, { id, version }: Budget, edit: BudgetEdit) =>
  put<Budget>(path(org, id), edit, seen(version));
export const deleteBudget = (org: number, id: string) => remove(path(org, id));
