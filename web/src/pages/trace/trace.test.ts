import { describe, expect, it } from 'vitest';
import type { Outline, OutlineSpan } from '../../api/types.ts';
import { boxes } from '../../parts/flame/layout.ts';
import { flameOf } from './flame.ts';
import { looks, ticks } from './look.ts';
import { above, collapsible, find, kindOfTwin, modelOf, next, rowOf, rowsOf } from './model.ts';
import { walk } from './walk.ts';

/** A trace of spans in drawing order, each named by its parent's place and what it does. */
function outline(...spans: Partial<OutlineSpan>[]): Outline {
  const all = spans.map((span, i) => ({
    span_id: String(i),
    parent: -1,
    operation: 0,
    start_ns: 0,
    duration_ns: 10,
    self_ns: 10,
    below: 0,
    ...span,
  }));
  for (const span of all.toReversed()) {
    const parent = all[span.parent];
    if (parent) parent.below += 1 + span.below;
  }
  return {
    trace_id: '',
    start: '',
    duration_ns: 100,
    services: ['a', 'b'],
    stored: all.length,
    truncated: false,
    roots: 1,
    missing: 0,
    operations: [
      { service: 'a', name: 'GET /', kind: 'client', type: 'call' },
      { service: 'b', name: 'GET /', kind: 'server', type: 'server' },
    ],
    spans: all,
    critical_path: [],
    shares: [],
    repeats: [],
    gaps: [],
    statements: [],
    failures: [],
    failed_spans: 0,
    skews: [],
  };
}

// a ─ b ─ c
//   └ d
const small = modelOf(outline({}, { parent: 0 }, { parent: 1 }, { parent: 0, failed: true }));

describe('the tree of a trace', () => {
  it('hides what is below a collapsed span', () => {
    expect(rowsOf(small.spans, new Set())).toEqual([0, 1, 2, 3]);
    expect(rowsOf(small.spans, new Set([1]))).toEqual([0, 1, 3]);
    expect(rowsOf(small.spans, new Set([0, 1]))).toEqual([0]);
    expect(rowsOf(small.spans, collapsible(small.spans))).toEqual([0, 1, 3]);
  });

  it('knows how deep a span is and the way up from it', () => {
    expect([...small.depth]).toEqual([0, 1, 2, 1]);
    expect(above(small.spans, 2)).toEqual([1, 0]);
    expect(small.failed).toEqual([3]);
  });

  it('finds a row among those in sight', () => {
    expect([0, 1, 3, 2].map((span) => rowOf([0, 1, 3], span))).toEqual([0, 1, 2, -1]);
  });

  it('tells two spans with one id apart by their kind', () => {
    const twins = modelOf(outline({ span_id: 'x' }, { span_id: 'x', parent: 0, operation: 1 }));
    expect([find(twins, 'x'), find(twins, 'x', 'server'), find(twins, 'x', 'producer'), find(twins, 'y')]).toEqual([
      0, 1, 0, -1,
    ]);
    expect([kindOfTwin(twins, 0), kindOfTwin(twins, 1)]).toEqual([undefined, 'server']);
  });

  it('goes around from the last to the first', () => {
    expect([next([2, 5], 2), next([2, 5], 5), next([2, 5], 2, true), next([], 1)]).toEqual([5, 2, 5, undefined]);
  });

  it('takes fifty thousand spans in a chain', () => {
    const chain = modelOf(outline(...Array.from({ length: 50_000 }, (_, i) => ({ parent: i - 1 }))));
    expect(rowsOf(chain.spans, new Set())).toHaveLength(50_000);
    expect(boxes(flameOf(chain).root, 0.01).length).toBeGreaterThan(1);
  });
});

describe('the keys of the waterfall', () => {
  const press = (key: string, at: number, collapsed: number[] = []) => {
    const closed = new Set(collapsed);
    return walk(key, small.spans, rowsOf(small.spans, closed), at, closed);
  };

  it('walk up and down and stay inside', () => {
    expect(press('ArrowDown', 0)).toEqual({ go: 1 });
    expect(press('ArrowUp', 0)).toEqual({ go: 0 });
    expect(press('ArrowDown', -1)).toEqual({ go: 0 });
    expect(press('End', 0)).toEqual({ go: 3 });
    expect(press('ArrowDown', 3)).toEqual({ go: 3 });
  });

  it('close with left, then go to the parent', () => {
    expect(press('ArrowLeft', 1)).toEqual({ close: 1 });
    expect(press('ArrowLeft', 2)).toEqual({ go: 1 });
    expect(press('ArrowLeft', 2, [1])).toEqual({ go: 0 });
  });

  it('open with right, then go to the first child', () => {
    expect(press('ArrowRight', 1, [1])).toEqual({ open: 1 });
    expect(press('ArrowRight', 1)).toEqual({ go: 2 });
    expect(press('ArrowRight', 2)).toBeUndefined();
  });

  it('leave with Escape, search with / and leave other keys alone', () => {
    expect(press('Escape', 2)).toEqual({ act: 'leave' });
    expect(press('/', 2)).toEqual({ act: 'search' });
    expect(press('n', 2)).toEqual({ act: 'next_failed' });
    expect(press('x', 2)).toBeUndefined();
  });
});

describe('the flame graph', () => {
  it('puts what does the same below the same callers into one, by the work of all of it', () => {
    const { root, of } = flameOf(
      modelOf(
        outline(
          {},
          { parent: 0, operation: 1, self_ns: 30 },
          { parent: 0, operation: 1, self_ns: 20, duration_ns: 99 },
        ),
      ),
    );
    expect(of[1]).toBe(of[2]);
    expect([root.total, of[1]?.total, of[1]?.spans, of[1]?.longest]).toEqual([60, 50, 2, 2]);
  });

  it('fills the width with the frame in focus and those above it', () => {
    const { root, of } = flameOf(small);
    expect(boxes(root, 0).map((b) => [b.depth, b.width])).toEqual([
      [0, 1],
      [1, 1],
      [2, 0.75],
      [3, 0.25],
    ]);
    expect(boxes(of[2] ?? root, 0).every((b) => b.width === 1)).toBe(true);
    expect(boxes(root, 0.5)).toHaveLength(3);
  });
});

describe('the look of a trace', () => {
  it('tells the first 24 services apart by colour and shape together', () => {
    const seen = new Set(
      [...looks(Array.from({ length: 24 }, (_, i) => `s${i}`)).values()].map((l) => l.colour + l.shape),
    );
    expect(seen.size).toBe(24);
  });

  it('has a ruler with round moments inside the window', () => {
    expect(ticks(0, 11_402e6, 6)).toEqual([0, 2e9, 4e9, 6e9, 8e9, 10e9]);
    expect(ticks(5, 5, 6)).toEqual([]);
  });
});
