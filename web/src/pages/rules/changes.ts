import type { Rule, RuleChange } from '../../api/types.ts';

const FIELDS = [
  'name',
  'enabled',
  'params',
  'count',
  'window_minutes',
  'quiet_minutes',
  'service',
  'environment',
  'channels',
] as const;

export type RuleField = (typeof FIELDS)[number];

/** The fields in which two versions of a rule differ, in the order of the form. */
export const differences = (before: Rule, after: Rule): RuleField[] =>
  FIELDS.filter((field) => JSON.stringify(before[field] ?? '') !== JSON.stringify(after[field] ?? ''));

/** Every change, newest first, beside the version it replaced. */
export const withBefore = (changes: RuleChange[]) => changes.map((change, i) => ({ change, before: changes[i + 1] }));
