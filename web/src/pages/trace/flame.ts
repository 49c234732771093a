import type { Model } from './model.ts';

/** All spans that do the same below the same callers, as one. */
export interface Frame {
  operation: number;
  parent?: Frame;
  children: Map<number, Frame>;
  /** ns that they worked themselves. */
  self: number;
  /** self, and that of all below. */
  total: number;
  spans: number;
  failed: number;
  /** The one that took longest. */
  longest: number;
}

export interface Flame {
  root: Frame;
  /** The frame of each span. */
  of: Frame[];
}

const frame = (operation: number, parent?: Frame): Frame => ({
  operation,
  parent,
  children: new Map(),
  self: 0,
  total: 0,
  spans: 0,
  failed: 0,
  longest: -1,
});

/** The trace by who called whom: widths are work, not time, so that what ran at once stands side by side. */
export function flameOf({ spans }: Model): Flame {
  const root = frame(-1);
  const all = [root];
  const of: Frame[] = [];
  for (const [i, span] of spans.entries()) {
    const parent = of[span.parent] ?? root;
    let own = parent.children.get(span.operation);
    if (!own) {
      own = frame(span.operation, parent);
      parent.children.set(span.operation, own);
      all.push(own);
    }
    of.push(own);
    own.self += span.missing ? 0 : span.self_ns;
    own.spans++;
    if (span.failed) own.failed++;
    if (own.longest < 0 || span.duration_ns > (spans[own.longest]?.duration_ns ?? 0)) own.longest = i;
  }
  for (const each of all.reverse()) {
    each.total += each.self;
    if (each.parent) each.parent.total += each.total;
  }
  return { root, of };
}
