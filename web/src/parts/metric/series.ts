import type { RangeAnswer } from '../../api/metrics.ts';
import type { Line } from '../chart/Chart.tsx';
import { summary, type Values } from '../chart/grid.ts';

/** A series as PromQL writes it: name{label="value"}. */
export function seriesName(metric: Record<string, string>): string {
  const labels = Object.entries(metric)
    .filter(([name]) => name !== '__name__')
    .map(([name, value]) => `${name}="${value}"`);
  const name = metric.__name__ ?? '';
  return labels.length > 0 || name === '' ? `${name}{${labels.join(', ')}}` : name;
}

/** A name for a series from a pattern with {{label}} in it; without one, what tells it from its neighbours. */
export function legendOf(
  metric: Record<string, string>,
  pattern: string | undefined,
  shared: Set<string>,
  query: string,
): string {
  if (pattern) return pattern.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, label) => metric[label] ?? '');
  const own = Object.entries(metric).filter(([name]) => !shared.has(name));
  if (own.length === 0) return metric.__name__ ?? (Object.keys(metric).length > 0 ? seriesName(metric) : query);
  return own.map(([name, value]) => (own.length === 1 ? value : `${name}=${value}`)).join(' ');
}

/** Lines that a chart shows: more cannot be told apart. */
export const MAX_LINES = 24;

export interface Named {
  /** Before the names of its lines, to tell queries apart. */
  letter?: string;
  legend?: string;
  answer: RangeAnswer;
}

/** The lines of several queries over one time: those with the highest last values, and how many there are. */
export function linesOf(queries: Named[]): { at: number[]; lines: Line[]; total: number; histograms: number } {
  const first = queries[0]?.answer;
  if (!first) return { at: [], lines: [], total: 0, histograms: 0 };
  const at: number[] = [];
  for (let t = first.start; t <= first.end; t += first.step) at.push(t);
  const place = new Map(at.map((t, i) => [t, i]));
  let histograms = 0;
  const all = queries.flatMap(({ letter, legend, answer }) => {
    const shared = sharedLabels(answer.series.map((s) => s.metric));
    return answer.series.flatMap((series) => {
      if (!series.values) {
        histograms++;
        return [];
      }
      const values: Values = at.map(() => null);
      for (const [t, text] of series.values) {
        const i = place.get(t);
        const value = Number(text);
        if (i !== undefined && Number.isFinite(value)) values[i] = value;
      }
      const name = legendOf(series.metric, legend, shared, answer.sent);
      return [{ label: letter ? `${letter} ${name}` : name, values, last: summary(values)?.last }];
    });
  });
  const kept = all
    .sort((a, b) => (b.last ?? Number.NEGATIVE_INFINITY) - (a.last ?? Number.NEGATIVE_INFINITY))
    .slice(0, MAX_LINES);
  const seen = new Map<string, number>();
  // By name, so that a line keeps its colour while values change.
  const order = kept.map((line) => line.label).sort();
  const lines = kept.map(({ label, values }) => {
    const times = (seen.get(label) ?? 0) + 1;
    seen.set(label, times);
    const place = order.indexOf(label) + times - 1;
    return {
      label: times > 1 ? `${label} (${times})` : label,
      values,
      tone: `s${(place % 8) + 1}`,
      dashed: place >= 8,
    };
  });
  return { at, lines, total: all.length, histograms };
}

/** Labels that have one value in all of several series: they tell nothing. */
function sharedLabels(metrics: Record<string, string>[]): Set<string> {
  const [first = {}, ...others] = metrics;
  if (others.length === 0) return new Set(Object.keys(first));
  return new Set(Object.keys(first).filter((name) => others.every((m) => m[name] === first[name])));
}
