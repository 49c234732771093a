import { queryOptions } from '@tanstack/react-query';
import { list, post, put, remove, seen, send } from './client.ts';
import type { AlarmKind, Rule, RuleChange, RuleEdit } from './types.ts';

const base = (project: number) => `/projects/${project}/rules`;

/** The kinds of alarms: they only change with the server. */
export const alarmKindsQuery = (project: number) =>
  queryOptions({
    ...list<AlarmKind>(`/projects/${project}/alarm-kinds`, ['alarm-kinds', project]),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const rulesQuery = (project: number) => list<Rule>(base(project), ['rules', project]);
export const createRule = (project: number, rule: RuleEdit) => post<Rule>(base(project), rule);
export const updateRule = (project: number, id: number, version: number, rule: RuleEdit) =>
  put<Rule>(`${base(project)}/${id}`, rule, seen(version));
export const deleteRule = (project: number, { id, version }: Rule) => remove(`${base(project)}/${id}`, seen(version));

export const ruleHistoryQuery = (project: number, id: number) =>
  list<RuleChange>(`${base(project)}/${id}/history`, ['rules', project, id, 'history']);

/** What a rule would have done in the last days. */
export interface RuleTrial {
  from: string;
  to: string;
  fired: {
    from: string;
    to: string;
    service: string;
    phase: string;
    subject: string;
    count: number;
    value: number;
    usual?: number;
  }[];
  matches: number;
  /** Whether all of the time was looked through. */
  complete: boolean;
  note: string;
}

export const tryRule = async (project: number, rule: RuleEdit, signal: AbortSignal) =>
  (await send<RuleTrial>('POST', `${base(project)}/test`, { body: rule, signal })).data;
