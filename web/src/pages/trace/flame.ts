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

export interface Box {
  frame: Frame;
  depth: number;
  /** Shares of the width, 0 to 1. */
  left: number;
  width: number;
}

/** Where the frames stand when one fills the width: those above it do, too. What is narrower than `least` is left out. */
export function boxes(focus: Frame, least: number): Box[] {
  const out: Box[] = [];
  const chain: Frame[] = [];
  for (let up = focus.parent; up; up = up.parent) chain.unshift(up);
  for (const [depth, each] of chain.entries()) out.push({ frame: each, depth, left: 0, width: 1 });
  const open: Box[] = [{ frame: focus, depth: chain.length, left: 0, width: 1 }];
  for (let box = open.pop(); box; box = open.pop()) {
    out.push(box);
    let { left } = box;
    for (const child of [...box.frame.children.values()].sort((a, b) => b.total - a.total)) {
      const width = focus.total > 0 ? child.total / focus.total : 0;
      if (width >= least) open.push({ frame: child, depth: box.depth + 1, left, width });
      left += width;
    }
  }
  return out;
}
