/** Where a node stands: its layer from the left, and its place in the layer, 0 in the middle. */
export interface Place {
  layer: number;
  slot: number;
}

interface Call {
  from: string;
  to: string;
}

/**
 * Places nodes in layers from callers to callees. The same nodes and calls give
 * the same places, whatever their order. Nodes that have a place keep it, and
 * new ones are put beside them, so that a map stands still while it renews itself.
 */
export function layout(ids: string[], calls: Call[], kept: ReadonlyMap<string, Place>): Map<string, Place> {
  const sorted = [...ids].sort();
  const known = new Set(sorted);
  const edges = calls
    .filter((c) => c.from !== c.to && known.has(c.from) && known.has(c.to))
    .sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to));
  const callees = neighbours(edges, 'from', 'to');
  const callers = neighbours(edges, 'to', 'from');
  const layers = layersOf(sorted, callees, callers);
  const places = new Map([...kept].filter(([id]) => known.has(id)));
  if (places.size === 0) return arrange(sorted, layers, callees, callers);
  const taken = [...kept.values()];
  // Callers first, so that a chain of new nodes hangs together.
  for (const id of sorted.filter((n) => !places.has(n)).sort((a, b) => at(layers, a) - at(layers, b))) {
    const above = (callers.get(id) ?? []).flatMap((n) => places.get(n) ?? []);
    const below = (callees.get(id) ?? []).flatMap((n) => places.get(n) ?? []);
    const layer = above.length
      ? Math.max(...above.map((p) => p.layer)) + 1
      : below.length
        ? Math.min(...below.map((p) => p.layer)) - 1
        : at(layers, id);
    const slot = free(mean([...above, ...below].map((p) => p.slot)) ?? 0, layer, taken);
    places.set(id, { layer, slot });
    taken.push({ layer, slot });
  }
  return places;
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const at = (layers: Map<string, number>, id: string) => layers.get(id) ?? 0;
const mean = (all: number[]) => (all.length ? all.reduce((sum, n) => sum + n, 0) / all.length : undefined);

function neighbours(edges: Call[], of: 'from' | 'to', other: 'from' | 'to'): Map<string, string[]> {
  const all = new Map<string, string[]>();
  for (const edge of edges) all.set(edge[of], [...(all.get(edge[of]) ?? []), edge[other]]);
  return all;
}

/** The longest way from a node nobody calls; a call that closes a circle does not count. */
function layersOf(ids: string[], callees: Map<string, string[]>, callers: Map<string, string[]>): Map<string, number> {
  const layers = new Map<string, number>();
  const order: string[] = [];
  const forward = new Map<string, string[]>();
  const state = new Map<string, 'open' | 'done'>();
  const visit = (id: string) => {
    state.set(id, 'open');
    for (const next of callees.get(id) ?? []) {
      if (state.get(next) === 'open') continue;
      forward.set(id, [...(forward.get(id) ?? []), next]);
      if (!state.has(next)) visit(next);
    }
    state.set(id, 'done');
    order.unshift(id);
  };
  for (const id of ids) if (!callers.has(id)) visit(id);
  for (const id of ids) if (!state.has(id)) visit(id);
  for (const id of order) {
    for (const next of forward.get(id) ?? []) layers.set(next, Math.max(at(layers, next), at(layers, id) + 1));
  }
  return layers;
}

const SWEEPS = 6;

/** Orders each layer by the middle of its neighbours, from left to right and back. */
function arrange(
  ids: string[],
  layers: Map<string, number>,
  callees: Map<string, string[]>,
  callers: Map<string, string[]>,
): Map<string, Place> {
  const columns: string[][] = [];
  for (const id of ids) {
    const layer = at(layers, id);
    columns[layer] = [...(columns[layer] ?? []), id];
  }
  const places = new Map<string, Place>();
  const settle = (column: string[], layer: number) =>
    column.forEach((id, i) => void places.set(id, { layer, slot: i - (column.length - 1) / 2 }));
  columns.forEach(settle);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const [order, beside] =
      sweep % 2 ? [columns.map((_, i) => columns.length - 1 - i), callees] : [columns.keys(), callers];
    for (const layer of order) {
      const column = columns[layer] ?? [];
      const pull = (id: string) => mean((beside.get(id) ?? []).flatMap((n) => places.get(n)?.slot ?? [])) ?? 0;
      const pulls = new Map(column.map((id) => [id, pull(id)]));
      column.sort((a, b) => (pulls.get(a) ?? 0) - (pulls.get(b) ?? 0) || compare(a, b));
      settle(column, layer);
    }
  }
  return places;
}

/** The place nearest to a slot that nothing in the layer stands on. */
function free(slot: number, layer: number, taken: Place[]): number {
  const others = taken.filter((p) => p.layer === layer).map((p) => p.slot);
  const fits = (s: number) => others.every((o) => Math.abs(o - s) >= 1);
  for (let away = 0; ; away += 0.5) {
    for (const s of [Math.round(slot * 2) / 2 + away, Math.round(slot * 2) / 2 - away]) if (fits(s)) return s;
  }
}
