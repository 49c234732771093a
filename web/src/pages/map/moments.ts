import type { ServiceMap } from '../../api/types.ts';

const MINUTE = 60_000;
// Seventy-two, and one that is only begun.
const MOST = 73;
/** How long a step may be, in minutes. */
const LENGTHS = [1, 2, 5, 10, 15, 30, 60, 180, 360, 720, 1440];

/** The moments a range consists of: whole steps, in ms. */
export interface Moments {
  from: number;
  step: number;
  count: number;
}

/** Cuts a range into at most MOST steps, as short as that allows. */
export function momentsOf(from: number, to: number): Moments {
  const cut = (minutes: number): Moments => {
    const step = minutes * MINUTE;
    const first = Math.floor(from / step) * step;
    return { from: first, step, count: Math.max(1, Math.ceil((to - first) / step)) };
  };
  return LENGTHS.map(cut).find((m) => m.count <= MOST) ?? cut(Math.ceil((to - from) / MINUTE / (MOST - 1)));
}

/** Which moment a time lies in; the nearest for one outside. */
export const momentAt = ({ from, step, count }: Moments, at: number) =>
  Math.min(count - 1, Math.max(0, Math.floor((at - from) / step)));

export const windowOf = ({ from, step }: Moments, index: number) => ({
  from: new Date(from + index * step).toISOString(),
  to: new Date(from + (index + 1) * step).toISOString(),
});

const SILENT = {
  count: 0,
  errors: 0,
  per_second: 0,
  error_share: 0,
  total_ns: 0,
  average_ns: 0,
  max_ns: 0,
  p50_ns: 0,
  p90_ns: 0,
  p95_ns: 0,
  p99_ns: 0,
};

/** The nodes and edges of the whole range with the numbers of one moment in it: what was silent then stays in its place. */
export function atMoment(whole: ServiceMap, moment: ServiceMap): ServiceMap {
  const nodes = new Map(moment.nodes.map((n) => [n.id, n]));
  const edges = new Map(moment.edges.map((e) => [edgeId(e), e]));
  return {
    ...moment,
    environments: whole.environments,
    total_nodes: whole.total_nodes,
    truncated: whole.truncated,
    nodes: whole.nodes.map((n) => nodes.get(n.id) ?? { ...n, ...SILENT }),
    edges: whole.edges.map((e) => edges.get(edgeId(e)) ?? { ...e, ...SILENT, unanswered: 0 }),
  };
}

/** Names an edge. */
export const edgeId = (edge: { from: string; to: string }) => `${edge.from} > ${edge.to}`;
