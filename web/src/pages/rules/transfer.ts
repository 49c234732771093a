import type { AlarmKind, Channel, Rule, View } from '../../api/types.ts';
import { type Draft, draftOf } from './draft.ts';

/** What a file of rules calls itself. */
const FORMAT = 'matrix-rules/1';

/** What a project has that rules point to by number; a file says the name instead, so that another project can read it. */
export interface Around {
  channels: Channel[];
  views: View[];
  kinds: AlarmKind[];
}

type Moved = Omit<Draft, 'channels'> & { channels: string[] };

const viewParams = (kinds: AlarmKind[], kind: string) =>
  (kinds.find((k) => k.name === kind)?.params ?? []).filter((p) => p.type === 'view').map((p) => p.name);

/** Rules as the text of a file. */
export function written(rules: Rule[], { channels, views, kinds }: Around): string {
  const moved = rules.map((rule): Moved => {
    const draft = draftOf(rule);
    const params = { ...draft.params };
    for (const name of viewParams(kinds, rule.kind)) {
      params[name] = views.find((v) => v.id === params[name])?.name ?? params[name];
    }
    const names = draft.channels.flatMap((id) => channels.find((c) => c.id === id)?.name ?? []);
    return { ...draft, params, channels: names };
  });
  return `${JSON.stringify({ format: FORMAT, rules: moved }, null, 2)}\n`;
}

/** Whether a text is a file of rules that written made; anything else is taken for a Prometheus rule file. */
export const isOurs = (text: string) => text.trimStart().startsWith('{') && text.includes(FORMAT);

export type Skip = 'exists' | 'kind' | 'view' | 'twice';

/** One rule of a file: what would be made of it, or why not. */
export interface Item {
  draft: Draft;
  skip?: Skip;
  /** Channels it names that the project does not have. */
  missing: string[];
}

/** The rules of a file as this project would have them. Throws what is wrong with the text. */
export function read(text: string, taken: ReadonlySet<string>, { channels, views, kinds }: Around): Item[] {
  const file = JSON.parse(text) as { format?: string; rules?: Partial<Moved>[] };
  if (file.format !== FORMAT || !Array.isArray(file.rules)) throw new Error(FORMAT);
  const seen = new Set<string>();
  return file.rules.map((rule) => {
    const kind = kinds.find((k) => k.name === rule.kind);
    const params = { ...rule.params };
    let skip: Skip | undefined;
    for (const name of viewParams(kinds, rule.kind ?? '')) {
      const view = views.find((v) => v.name === params[name]);
      if (view) params[name] = view.id;
      else if (params[name] !== undefined) skip = 'view';
    }
    const name = String(rule.name ?? '').trim();
    if (!kind) skip = 'kind';
    if (taken.has(name)) skip = 'exists';
    else if (seen.has(name)) skip = 'twice';
    seen.add(name);
    const names = rule.channels ?? [];
    const draft: Draft = {
      name,
      kind: rule.kind ?? '',
      enabled: rule.enabled ?? true,
      service: rule.service ?? '',
      environment: rule.environment ?? '',
      params,
      count: rule.count ?? kind?.count ?? 1,
      window_minutes: rule.window_minutes ?? kind?.window_minutes ?? 10,
      quiet_minutes: rule.quiet_minutes ?? kind?.quiet_minutes ?? 10,
      channels: channels.filter((c) => names.includes(c.name)).map((c) => c.id),
      severity: rule.severity ?? kind?.severity ?? 'warning',
      owner: rule.owner ?? '',
      runbook: rule.runbook ?? '',
      labels: rule.labels ?? {},
      mutes: rule.mutes ?? [],
    };
    return { draft, skip, missing: names.filter((n) => !channels.some((c) => c.name === n)) };
  });
}
