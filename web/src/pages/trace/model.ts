import type {
  Outline,
  OutlineOperation,
  OutlineSpan,
  PathPart,
  RepeatedCall,
  SpanKind,
  TraceGap,
} from '../../api/types.ts';

/** A trace with what drawing it asks for again and again. Spans are named by their place in `spans`. */
export interface Model {
  outline: Outline;
  spans: OutlineSpan[];
  depth: Int32Array;
  /** Place of a span by its id: of two that share one, as Zipkin makes them, the first. */
  place: Map<string, number>;
  critical: Map<number, PathPart[]>;
  gaps: Map<number, TraceGap[]>;
  /** The calls a span makes again and again. */
  repeats: Map<number, RepeatedCall[]>;
  /** The spans that failed, in drawing order. */
  failed: number[];
  /** What each service worked itself, in ns. */
  work: Map<string, number>;
}

export function modelOf(outline: Outline): Model {
  const { spans } = outline;
  const model: Model = {
    outline,
    spans,
    depth: new Int32Array(spans.length),
    place: new Map(),
    critical: grouped(outline.critical_path, (part) => part.span),
    gaps: grouped(outline.gaps, (gap) => gap.span),
    repeats: grouped(outline.repeats, (repeat) => repeat.parent),
    failed: [],
    work: new Map(),
  };
  for (const [i, span] of spans.entries()) {
    if (span.parent >= 0) model.depth[i] = (model.depth[span.parent] ?? 0) + 1;
    if (!model.place.has(span.span_id)) model.place.set(span.span_id, i);
    if (span.failed) model.failed.push(i);
    const { service } = operationOf(model, i);
    if (!span.missing) model.work.set(service, (model.work.get(service) ?? 0) + span.self_ns);
  }
  return model;
}

function grouped<T>(items: T[], of: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const group = groups.get(of(item));
    if (group) group.push(item);
    else groups.set(of(item), [item]);
  }
  return groups;
}

const NOTHING: OutlineOperation = { service: '', name: '', kind: 'internal', type: 'method' };

export const operationOf = (model: Model, i: number): OutlineOperation =>
  model.outline.operations[model.spans[i]?.operation ?? -1] ?? NOTHING;

/** The place of the span an address names; -1 when it is not in the trace. */
export function find(model: Model, id: string | undefined, kind?: SpanKind): number {
  const first = id === undefined ? undefined : model.place.get(id);
  if (first === undefined) return -1;
  if (!kind || operationOf(model, first).kind === kind) return first;
  const twin = model.spans.findIndex((s, i) => s.span_id === id && operationOf(model, i).kind === kind);
  return twin < 0 ? first : twin;
}

/** The kind an address must name beside the id, because another span shares the id. */
export const kindOfTwin = (model: Model, i: number): SpanKind | undefined =>
  model.place.get(model.spans[i]?.span_id ?? '') === i ? undefined : operationOf(model, i).kind;

/** The spans in sight: all but those below a collapsed one. */
export function rowsOf(spans: OutlineSpan[], collapsed: ReadonlySet<number>): number[] {
  const rows: number[] = [];
  for (let i = 0; i < spans.length; i += collapsed.has(i) ? 1 + (spans[i]?.below ?? 0) : 1) rows.push(i);
  return rows;
}

/** Where a span stands among rows, which ascend; -1 when it is not in sight. */
export function rowOf(rows: number[], span: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const at = rows[middle] ?? 0;
    if (at === span) return middle;
    if (at < span) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}

/** The spans above one, nearest first. */
export function above(spans: OutlineSpan[], i: number): number[] {
  const chain: number[] = [];
  for (let p = spans[i]?.parent ?? -1; p >= 0; p = spans[p]?.parent ?? -1) chain.push(p);
  return chain;
}

/** All that can be collapsed without hiding everything. */
export const collapsible = (spans: OutlineSpan[]): Set<number> =>
  new Set(spans.flatMap((s, i) => (s.parent >= 0 && (s.below ?? 0) > 0 ? [i] : [])));

/** The next of places, which ascend, after one or before it; around at the ends. */
export function next(places: number[], from: number, back = false): number | undefined {
  if (back) return places.findLast((i) => i < from) ?? places.at(-1);
  return places.find((i) => i > from) ?? places[0];
}
