/** A call in a flame graph, with what was counted in it and below. */
export interface Call<F> {
  parent?: F;
  children: { values(): Iterable<F> };
  total: number;
}

export interface Box<F> {
  frame: F;
  depth: number;
  /** Shares of the width, 0 to 1. */
  left: number;
  width: number;
}

/** Where the frames stand when one fills the width: those above it do, too. What is narrower than `least` is left out. */
export function boxes<F extends Call<F>>(focus: F, least: number): Box<F>[] {
  const out: Box<F>[] = [];
  const chain: F[] = [];
  for (let up = focus.parent; up; up = up.parent) chain.unshift(up);
  for (const [depth, each] of chain.entries()) out.push({ frame: each, depth, left: 0, width: 1 });
  const open: Box<F>[] = [{ frame: focus, depth: chain.length, left: 0, width: 1 }];
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
