import type { Unit } from '../chart/Chart.tsx';

/** What can be completed at the cursor. */
export type Place =
  | { kind: 'name'; begin: number; word: string }
  | { kind: 'label'; begin: number; word: string; metric?: string; matcher: boolean }
  | { kind: 'value'; begin: number; word: string; metric?: string; label: string }
  | { kind: 'none' };

/** Where the cursor stands in a query: in a name, in the labels of a selector or a grouping, or in a label's value. */
export function placeAt(text: string, cursor: number): Place {
  let quote = '';
  let quoted = 0;
  let brace = -1;
  let bracket = false;
  for (let i = 0; i < cursor; i++) {
    const c = text[i] ?? '';
    if (quote) {
      if (c === '\\') i++;
      else if (c === quote) quote = '';
    } else if (c === '"' || c === "'" || c === '`') {
      quote = c;
      quoted = i + 1;
    } else if (c === '{') brace = i;
    else if (c === '}') brace = -1;
    else if (c === '[') bracket = true;
    else if (c === ']') bracket = false;
  }
  const before = text.slice(0, cursor);
  if (brace >= 0) {
    const metric = /([a-zA-Z_:][\w:]*)\s*$/.exec(text.slice(0, brace))?.[1];
    if (quote) {
      const label = /([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*$/.exec(text.slice(brace + 1, quoted - 1))?.[1];
      return label ? { kind: 'value', begin: quoted, word: before.slice(quoted), metric, label } : { kind: 'none' };
    }
    const begin = before.search(/\w*$/);
    return /[{,]\s*$/.test(before.slice(0, begin))
      ? { kind: 'label', begin, word: before.slice(begin), metric, matcher: true }
      : { kind: 'none' };
  }
  if (quote || bracket) return { kind: 'none' };
  const grouping = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)$/.exec(before);
  if (grouping) {
    const begin = before.search(/\w*$/);
    return { kind: 'label', begin, word: before.slice(begin), metric: metricsOf(text)[0], matcher: false };
  }
  const begin = before.search(/[\w:]*$/);
  const word = before.slice(begin);
  return word === ''
    ? text.trim() === ''
      ? { kind: 'name', begin, word }
      : { kind: 'none' }
    : { kind: 'name', begin, word };
}

/** Aggregations and functions, with what they are given. */
export const FUNCTIONS: Record<string, string> = {
  sum: 'by (label) (vector)',
  avg: 'by (label) (vector)',
  min: 'by (label) (vector)',
  max: 'by (label) (vector)',
  count: 'by (label) (vector)',
  topk: '(5, vector)',
  bottomk: '(5, vector)',
  quantile: '(0.95, vector)',
  stddev: '(vector)',
  group: '(vector)',
  count_values: '("label", vector)',
  rate: '(counter[5m])',
  irate: '(counter[5m])',
  increase: '(counter[1h])',
  delta: '(gauge[1h])',
  idelta: '(gauge[5m])',
  deriv: '(gauge[5m])',
  changes: '(vector[1h])',
  resets: '(counter[1h])',
  predict_linear: '(gauge[1h], 3600)',
  histogram_quantile: '(0.95, sum by (le) (rate(x_bucket[5m])))',
  histogram_avg: '(rate(histogram[5m]))',
  histogram_count: '(rate(histogram[5m]))',
  histogram_sum: '(rate(histogram[5m]))',
  histogram_fraction: '(0, 0.5, rate(histogram[5m]))',
  avg_over_time: '(gauge[5m])',
  min_over_time: '(gauge[5m])',
  max_over_time: '(gauge[5m])',
  sum_over_time: '(vector[5m])',
  count_over_time: '(vector[5m])',
  quantile_over_time: '(0.95, gauge[5m])',
  stddev_over_time: '(gauge[5m])',
  last_over_time: '(vector[1h])',
  present_over_time: '(vector[1h])',
  absent_over_time: '(vector[5m])',
  absent: '(vector)',
  abs: '(vector)',
  ceil: '(vector)',
  floor: '(vector)',
  round: '(vector, 0.1)',
  clamp: '(vector, 0, 1)',
  clamp_min: '(vector, 0)',
  clamp_max: '(vector, 1)',
  ln: '(vector)',
  log2: '(vector)',
  log10: '(vector)',
  exp: '(vector)',
  sqrt: '(vector)',
  sgn: '(vector)',
  sort: '(vector)',
  sort_desc: '(vector)',
  label_replace: '(vector, "to", "$1", "from", "(.*)")',
  label_join: '(vector, "to", ",", "a", "b")',
  scalar: '(vector)',
  vector: '(scalar)',
  time: '()',
  timestamp: '(vector)',
  hour: '(vector)',
  day_of_week: '(vector)',
};

const WORDS = new Set([
  ...Object.keys(FUNCTIONS),
  ...['by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'and', 'or', 'unless', 'bool', 'offset'],
]);

/** The metrics a query names. */
export function metricsOf(query: string): string[] {
  const bare = query
    .replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`/g, '""')
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const names = [...bare.matchAll(/(?<![\w.$])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])/g)].filter(([name]) => !WORDS.has(name));
  return [...new Set(names.map(([name]) => name))];
}

/** The line and column of a fault, both from 1, and what is wrong there. */
export function fault(detail: string): { line: number; column: number; message: string } | undefined {
  const found = /(\d+):(\d+): parse error: (.*)$/s.exec(detail);
  return found ? { line: Number(found[1]), column: Number(found[2]), message: found[3] ?? '' } : undefined;
}

/** A first query of a metric, by what it is. */
export function firstQuery(name: string, type: string, names: Set<string>): string {
  if (type === 'histogram') {
    return names.has(`${name}_bucket`)
      ? `histogram_quantile(0.95, sum by (le) (rate(${name}_bucket[$__rate_interval])))`
      : `histogram_quantile(0.95, sum(rate(${name}[$__rate_interval])))`;
  }
  if (type === 'counter' || /_(total|count|sum|bucket)$/.test(name)) return `sum(rate(${name}[$__rate_interval]))`;
  return name;
}

const UNITS: Record<string, Unit> = {
  seconds: 'seconds',
  s: 'seconds',
  bytes: 'bytes',
  By: 'bytes',
  ratio: 'share',
  '1': 'share',
};

/** The unit of what a query yields, as far as its metrics' names, or what senders say of them, tell. */
export function unitOf(query: string, said: (metric: string) => string | undefined): Unit {
  const metrics = metricsOf(query);
  const [metric] = metrics;
  if (!metric || /^\s*count\b|count_values|changes\(|resets\(/.test(query)) return 'number';
  const bare = metric.replace(/_(bucket|sum|count|total)$/, '');
  const unit = said(bare) || said(metric) || /_(seconds|milliseconds|bytes|ratio|percent)(?:_|$)/.exec(bare)?.[1] || '';
  const own: Unit = UNITS[unit] ?? 'number';
  const samples = /_(bucket|count)$/.test(metric);
  const changes = /\b(?:rate|irate)\s*\(/.test(query);
  if (/histogram_(quantile|avg)/.test(query)) return own;
  if (/\)\s*\/|\]\s*\/|\w\s*\/\s*\w/.test(query)) {
    const average = metrics.some((m) => m.endsWith('_sum')) && metrics.some((m) => m.endsWith('_count'));
    return average ? own : 'number';
  }
  if (samples) return changes ? 'rate' : 'number';
  if (!changes) return own;
  return own === 'bytes' ? 'byte_rate' : own === 'number' ? 'rate' : 'number';
}
