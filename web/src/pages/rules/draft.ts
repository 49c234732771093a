import type { AlarmKind, Rule, RuleEdit } from '../../api/types.ts';

/** A rule as the form edits it: nothing is absent. */
export type Draft = Required<Omit<RuleEdit, '$schema'>>;

/** What a new rule of a kind begins with. */
export const fresh = (kind: AlarmKind): Draft => ({
  name: '',
  kind: kind.name,
  enabled: true,
  service: '',
  environment: '',
  params: Object.fromEntries(kind.params.filter((p) => p.default !== undefined).map((p) => [p.name, p.default])),
  count: kind.count,
  window_minutes: kind.window_minutes,
  quiet_minutes: kind.quiet_minutes,
  channels: [],
  severity: kind.severity,
  owner: '',
  runbook: '',
  labels: {},
  mutes: [],
});

/** Only what is edited: the API refuses fields it does not know. */
export const draftOf = (rule: Rule): Draft => ({
  name: rule.name,
  kind: rule.kind,
  enabled: rule.enabled,
  service: rule.service,
  environment: rule.environment,
  params: rule.params,
  count: rule.count,
  window_minutes: rule.window_minutes,
  quiet_minutes: rule.quiet_minutes,
  channels: rule.channels ?? [],
  severity: rule.severity,
  owner: rule.owner,
  runbook: rule.runbook,
  labels: rule.labels ?? {},
  mutes: rule.mutes ?? [],
});

/** The parameters with one of them set; what is empty is not said at all. */
export function withParam(params: Draft['params'], name: string, value: unknown): Draft['params'] {
  const { [name]: _, ...rest } = params;
  return value === undefined || value === '' ? rest : { ...rest, [name]: value };
}

const LABEL = /^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*[=:]\s*(.*?)\s*$/;

/** "team=payments" as the name and the value of a label; undefined when it is none. */
export function labelOf(text: string): [string, string] | undefined {
  const found = LABEL.exec(text);
  return found?.[1] ? [found[1], found[2] ?? ''] : undefined;
}

export const labelTexts = (labels: Draft['labels']) =>
  Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);

/** A name like the given one that no rule has yet: "Slow SQL 2". */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  const stem = name.replace(/ \d+$/, '').slice(0, 90);
  for (let n = 2; ; n += 1) {
    const next = `${stem} ${n}`;
    if (!taken.has(next)) return next;
  }
}

/** What is wrong with a regular expression, as far as the reader's browser can tell; the server has the last word. */
export function patternFault(pattern: string): string | undefined {
  try {
    // RE2, which the server uses, writes flags inside; scripts do not know that way.
    new RegExp(pattern.replace(/^\(\?[imsU]+\)/, ''), 'u');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
