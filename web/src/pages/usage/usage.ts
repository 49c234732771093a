import { mayAdmin } from '../../api/session.ts';
import type { Bill, Me, UsageReport, Used } from '../../api/types.ts';
import {
  USAGE_DIMENSIONS,
  type UsageDimension,
  type UsageFilter,
  type UsageMeasure,
  type UsageScope,
} from '../../api/usage.ts';
import type { Line } from '../../parts/chart/Chart.tsx';

interface Place {
  id: number;
  org_id: number;
}

/** The scopes that a reader may see, the nearest first. */
export function scopesOf(me: Me, project: Place | undefined): UsageScope[] {
  const scopes: UsageScope[] = [];
  if (project) scopes.push('project');
  if (project && mayAdmin(me, project.org_id, 0)) scopes.push('org');
  if (me.user.system) scopes.push('all');
  return [...scopes, 'me'];
}

/** Where the API tells the use of a scope. */
export function baseOf(scope: UsageScope, project: Place | undefined): string {
  if (scope === 'me') return '/me';
  if (scope === 'all' || !project) return '';
  return scope === 'org' ? `/orgs/${project.org_id}` : `/projects/${project.id}`;
}

/** How many times as much as before; undefined where there is nothing to compare. */
export function timesOf(now: number | null, before: number | null | undefined): number | undefined {
  if (now === null || before === null || before === undefined) return undefined;
  if (before === 0) return now === 0 ? 1 : Number.POSITIVE_INFINITY;
  return now / before;
}

export const tokensOf = (used: Used) => used.input_tokens + used.output_tokens;

/** The tokens without a known price, of all; 0 without tokens. */
export const unpricedShare = (used: Used) => (tokensOf(used) === 0 ? 0 : used.unpriced_tokens / tokensOf(used));

/** The series of a report as lines: each of its own colour, the others together in grey. */
export function linesOf(
  report: UsageReport,
  measure: UsageMeasure,
  label: (key: string) => string,
  others: string,
): Line[] {
  return report.series.map((series, i) => ({
    label: series.others ? others : label(series.key),
    values: series[measure],
    tone: series.others ? 's8' : `s${(i % 7) + 1}`,
  }));
}

/** What a month will cost, or has cost where that cannot be told; undefined when no token of it has a price. */
export function billed(bill: Bill): number | undefined {
  if (bill.unpriced > 0 && bill.unpriced_share >= 1) return undefined;
  return bill.method === 'none' ? bill.spent : bill.expected;
}

/** What an estimate is told to be based on: before the first whole day with a call that is today alone. */
export const methodOf = ({ method, days }: Pick<Bill, 'method' | 'days'>) =>
  method === 'daily' && days === 0 ? 'today' : method;

/** The dimension to tell apart next once one is narrowed to a row of another. */
const NEXT: Record<UsageDimension, UsageDimension[]> = {
  org: ['project', 'group', 'role', 'model'],
  group: ['project', 'person', 'role', 'model'],
  project: ['role', 'model', 'person', 'purpose'],
  person: ['role', 'model', 'purpose', 'project'],
  token: ['role', 'model', 'purpose', 'project'],
  purpose: ['role', 'model', 'person', 'project'],
  role: ['model', 'person', 'project', 'purpose'],
  provider: ['model', 'role', 'person', 'project'],
  model: ['role', 'person', 'project', 'purpose'],
};

/** By what use is told apart once it is narrowed to one of a dimension: something it is not narrowed to. */
export const nextOf = (by: UsageDimension, filter: UsageFilter): UsageDimension =>
  NEXT[by].find((each) => filter[each] === undefined) ?? by;

/** What a page is narrowed to, of what its address holds. */
export const filterOf = (search: UsageFilter): UsageFilter =>
  Object.fromEntries(USAGE_DIMENSIONS.flatMap((each) => (search[each] === undefined ? [] : [[each, search[each]]])));

/** The calls that a row counts, as the page of calls is narrowed to them. */
export interface CallsOf {
  project: number;
  role?: string;
  /** Provider and model with a slash between them, or the model alone. */
  model?: string;
  person?: string;
  token?: string;
  purpose?: string;
}

/** Where the calls of a row are listed; undefined where that page cannot tell them apart from others. */
export function callsOf(
  row: UsageFilter,
  scope: UsageScope,
  current: Place | undefined,
  projects: (Place & { group_id: number })[],
  me: number,
): CallsOf | undefined {
  if (Object.values(row).includes('')) return undefined; // what has no name, an address cannot name
  // The page of calls is of one project.
  const id = row.project ? Number(row.project) : scope === 'project' ? current?.id : undefined;
  const project = projects.find((each) => each.id === id);
  if (!project) return undefined;
  if (row.org && row.org !== String(project.org_id)) return undefined;
  if (row.group && row.group !== String(project.group_id)) return undefined;
  if (row.model?.includes('/') && !row.provider) return undefined;
  const model = row.provider ? `${row.provider}/${row.model ?? ''}` : row.model;
  // Of oneself no use of others is told, whomever an address names.
  const person = scope === 'me' ? String(me) : row.person;
  return { project: project.id, role: row.role, model, person, token: row.token, purpose: row.purpose };
}
