import type { AlarmKind, Rule } from '../../api/types.ts';
import { holds } from '../../parts/Filter.tsx';

export const RULE_STATES = ['on', 'off', 'failing'] as const;
export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export const GROUPS = [
  'database',
  'calls',
  'transactions',
  'logs',
  'resources',
  'expressions',
  'external',
] as const satisfies readonly AlarmKind['group'][];

export interface RuleFilter {
  q?: string;
  group?: string;
  severity?: string;
  state?: (typeof RULE_STATES)[number];
}

/** Since when and why a rule cannot be evaluated; undefined when it can. */
export const failureOf = ({ failing_since, failure }: Rule): { since: string; why: string } | undefined =>
  failing_since ? { since: failing_since, why: failure ?? '' } : undefined;

/** The rules that a filter lets through; told gives the words a rule is found by. */
export const filtered = (
  rules: Rule[],
  { q, group, severity, state }: RuleFilter,
  kindOf: (name: string) => AlarmKind | undefined,
  told: (rule: Rule) => string[],
) =>
  rules.filter(
    (rule) =>
      (!group || kindOf(rule.kind)?.group === group) &&
      (!severity || rule.severity === severity) &&
      (!state || (state === 'failing' ? failureOf(rule) !== undefined : rule.enabled === (state === 'on'))) &&
      (!q || q.split(/\s+/).every((word) => holds(word, ...told(rule)))),
  );
