import type { Rule, RuleChange } from '../../api/types.ts';

const FIELDS = [
  'name',
  'enabled',
  'kind',
  'params',
  'count',
  'window_minutes',
  'quiet_minutes',
  'service',
  'environment',
  'severity',
  'channels',
  'owner',
  'runbook',
  'labels',
  'mutes',
] as const;

export type RuleField = Exclude<(typeof FIELDS)[number], 'params'>;

/** One difference of two versions: a field, or a parameter by its name. */
export type Difference = { field: RuleField } | { param: string };

// What an older version did not know yet is as if it had said nothing.
const NOTHING = new Set(['', '[]', '{}', 'null']);
const same = (a: unknown, b: unknown) => {
  const [one, other] = [a, b].map((value) => {
    const text = JSON.stringify(value ?? '');
    return NOTHING.has(text) || text === '""' ? '' : text;
  });
  return one === other;
};

/** The fields in which two versions of a rule differ, in the order of the form; parameters each by name. */
export function differences(before: Rule, after: Rule): Difference[] {
  return FIELDS.flatMap((field): Difference[] => {
    if (field !== 'params') return same(before[field], after[field]) ? [] : [{ field }];
    const [old, next] = [before.params ?? {}, after.params ?? {}];
    const names = [...new Set([...Object.keys(old), ...Object.keys(next)])];
    return names.filter((name) => !same(old[name], next[name])).map((param) => ({ param }));
  });
}

/** Every change, newest first, beside the version it replaced. */
export const withBefore = (changes: RuleChange[]) => changes.map((change, i) => ({ change, before: changes[i + 1] }));
