import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove, seen, send } from './client.ts';
import type {
  AlarmKind,
  Rule,
  RuleChange,
  RuleEdit,
  RuleEvaluation,
  RuleFile,
  RulesMade,
  RuleTemplate,
  RuleTrial,
} from './types.ts';

const base = (project: number) => `/projects/${project}/rules`;

/** The kinds of alarms: they only change with the server. */
export const alarmKindsQuery = (project: number) =>
  queryOptions({
    ...list<AlarmKind>(`/projects/${project}/alarm-kinds`, ['alarm-kinds', project]),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const rulesQuery = (project: number) => list<Rule>(base(project), ['rules', project]);

/** How far the evaluation of the rules is. */
export const ruleEvaluationQuery = (project: number) =>
  queryOptions({
    queryKey: ['rules', project, 'evaluation'],
    queryFn: ({ signal }) => get<RuleEvaluation>(`${base(project)}/evaluation`, undefined, signal),
    refetchInterval: 10_000,
  });

export const createRule = (project: number, rule: RuleEdit) => post<Rule>(base(project), rule);
export const updateRule = (project: number, id: number, version: number, rule: RuleEdit) =>
  put<Rule>(`${base(project)}/${id}`, rule, seen(version));
export const deleteRule = (project: number, { id, version }: Rule) => remove(`${base(project)}/${id}`, seen(version));

export const ruleHistoryQuery = (project: number, id: number) =>
  list<RuleChange>(`${base(project)}/${id}/history`, ['rules', project, id, 'history']);

/** What a rule would have done in the last seven days. */
export const tryRule = async (project: number, rule: RuleEdit, signal: AbortSignal) =>
  (await send<RuleTrial>('POST', `${base(project)}/test`, { body: rule, signal })).data;

export const ruleTemplatesQuery = (project: number) =>
  queryOptions({
    ...list<RuleTemplate>(`/projects/${project}/rule-templates`, ['rule-templates', project]),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** Makes the rules of a template that the project does not have by name. */
export const applyTemplate = (
  project: number,
  template: string,
  at: { service: string; environment: string; language: 'en' | 'ko'; channels: number[] },
) => post<RulesMade>(`/projects/${project}/rule-templates/${template}`, at);

/** What a file of Prometheus rules would become; made unless it is a dry run. */
export const importPrometheus = (project: number, text: string, dryRun: boolean) =>
  post<RuleFile>(`${base(project)}/prometheus`, { text, dry_run: dryRun });
