import type { Span } from '../../api/types.ts';

export interface Row {
  span: Span;
  depth: number;
  /** Spans below this one, however deep; 0 for a leaf. */
  below: number;
  collapsed: boolean;
  /** Row number of the parent among all rows of the open tree, -1 for a root. */
  parent: number;
}

/**
 * The trace as a tree in drawing order: parents before children, siblings by
 * start. A span whose parent is not here (lost, or of a cut trace) is a root;
 * of spans in a circle the earliest is. Every span is in exactly once.
 */
export function buildTree(spans: Span[]): Map<string, Span[]> {
  const ids = new Set(spans.map((s) => s.span_id));
  const children = new Map<string, Span[]>();
  for (const span of spans) {
    const parent = span.parent_id !== span.span_id && ids.has(span.parent_id) ? span.parent_id : '';
    const siblings = children.get(parent);
    if (siblings) siblings.push(span);
    else children.set(parent, [span]);
  }
  for (const siblings of children.values()) siblings.sort((a, b) => a.start_offset_ns - b.start_offset_ns);
  const reached = new Set<string>();
  const visit = (id: string) => {
    const open = [id];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const child of children.get(at) ?? []) {
        if (reached.has(child.span_id)) continue;
        reached.add(child.span_id);
        open.push(child.span_id);
      }
    }
  };
  visit('');
  for (const span of spans) {
    if (reached.has(span.span_id)) continue;
    // The first of a circle becomes a root, which opens the circle.
    reached.add(span.span_id);
    const siblings = children.get(span.parent_id) ?? [];
    children.set(
      span.parent_id,
      siblings.filter((s) => s !== span),
    );
    children.set('', [...(children.get('') ?? []), span]);
    visit(span.span_id);
  }
  return children;
}

/** The span a trace is named after: the earliest root, not a call of it that starts in the same instant. */
export const rootOf = (spans: Span[]): Span | undefined => buildTree(spans).get('')?.[0];

/** The rows to draw, without what lies below a collapsed span. */
export function visibleRows(children: Map<string, Span[]>, collapsed: ReadonlySet<string>): Row[] {
  const below = countBelow(children);
  const rows: Row[] = [];
  const stack = (children.get('') ?? []).map((span) => ({ span, depth: 0, parent: -1 })).reverse();
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { span, depth, parent } = next;
    const closed = collapsed.has(span.span_id);
    const at = rows.push({ span, depth, parent, below: below.get(span.span_id) ?? 0, collapsed: closed }) - 1;
    if (closed) continue;
    for (const child of [...(children.get(span.span_id) ?? [])].reverse())
      stack.push({ span: child, depth: depth + 1, parent: at });
  }
  return rows;
}

function countBelow(children: Map<string, Span[]>): Map<string, number> {
  const counts = new Map<string, number>();
  const order: string[] = [];
  const open = [''];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    order.push(id);
    for (const child of children.get(id) ?? []) open.push(child.span_id);
  }
  for (const id of order.reverse()) {
    counts.set(
      id,
      (children.get(id) ?? []).reduce((sum, child) => sum + 1 + (counts.get(child.span_id) ?? 0), 0),
    );
  }
  return counts;
}

/** The spans above one, nearest first. */
export function ancestors(spans: Span[], id: string): string[] {
  const byId = new Map(spans.map((s) => [s.span_id, s]));
  const chain: string[] = [];
  let at = byId.get(id);
  while (at && byId.has(at.parent_id) && !chain.includes(at.parent_id) && at.parent_id !== id) {
    chain.push(at.parent_id);
    at = byId.get(at.parent_id);
  }
  return chain;
}
