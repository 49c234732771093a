import { describe, expect, it } from 'vitest';
import { spans as fixture, slow } from '../../../test/fixtures.ts';
import type { Span } from '../../api/types.ts';
import { looks, ticks } from './look.ts';
import { ancestors, buildTree, rootOf, visibleRows } from './tree.ts';
import { walk } from './walk.ts';

const span = (id: string, parent: string, offset: number) =>
  ({ span_id: id, parent_id: parent, start_offset_ns: offset, duration_ns: 1 }) as Span;
const drawn = (spans: Span[], collapsed: string[] = []) =>
  visibleRows(buildTree(spans), new Set(collapsed)).map((row) => `${'-'.repeat(row.depth)}${row.span.span_id}`);

describe('the tree of a trace', () => {
  it('draws parents before children and siblings by start', () => {
    expect(drawn([span('c', 'a', 5), span('a', '', 0), span('b', 'a', 2), span('d', 'b', 3)])).toEqual([
      'a',
      '-b',
      '--d',
      '-c',
    ]);
  });

  it('makes a root of a span whose parent never arrived', () => {
    expect(drawn([span('a', '', 0), span('b', 'lost', 1), span('c', 'b', 2)])).toEqual(['a', 'b', '-c']);
  });

  it('is named after its root, whatever else starts in the same instant', () => {
    expect(rootOf([span('call', 'root', 0), span('root', '', 0)])?.span_id).toBe('root');
    expect(rootOf([])).toBeUndefined();
  });

  it('opens a circle at its first span and loses none', () => {
    expect(drawn([span('a', 'c', 0), span('b', 'a', 1), span('c', 'b', 2)])).toEqual(['a', '-b', '--c']);
    expect(drawn([span('a', 'a', 0)])).toEqual(['a']);
  });

  it('hides what is below a collapsed span and counts it', () => {
    const rows = visibleRows(
      buildTree([span('a', '', 0), span('b', 'a', 1), span('c', 'b', 2), span('d', 'a', 3)]),
      new Set(['b']),
    );
    expect(rows.map((r) => [r.span.span_id, r.below, r.collapsed])).toEqual([
      ['a', 3, false],
      ['b', 1, true],
      ['d', 0, false],
    ]);
  });

  it('holds every span of a real trace exactly once', () => {
    const rows = visibleRows(buildTree(fixture), new Set());
    expect(rows.map((r) => r.span.span_id).sort()).toEqual(fixture.map((s) => s.span_id).sort());
  });

  it('draws fifty thousand spans in a chain without exhausting the stack', () => {
    const chain = Array.from({ length: 50_000 }, (_, i) => span(String(i), i ? String(i - 1) : '', i));
    expect(visibleRows(buildTree(chain), new Set())).toHaveLength(50_000);
  });

  it('knows the way up from a span', () => {
    expect(ancestors(fixture, slow.span_id)).toHaveLength(5);
    expect(ancestors([span('a', 'b', 0), span('b', 'a', 1)], 'a')).toEqual(['b']);
  });
});

describe('the keys of the waterfall', () => {
  const rows = visibleRows(
    buildTree([span('a', '', 0), span('b', 'a', 1), span('c', 'b', 2), span('d', 'a', 3)]),
    new Set(),
  );

  it('walk up and down and stay inside', () => {
    expect(walk('ArrowDown', rows, 0)).toEqual({ go: 1 });
    expect(walk('ArrowUp', rows, 0)).toEqual({ go: 0 });
    expect(walk('ArrowDown', rows, -1)).toEqual({ go: 0 });
    expect(walk('End', rows, 0)).toEqual({ go: 3 });
    expect(walk('ArrowDown', rows, 3)).toEqual({ go: 3 });
  });

  it('close with left, then go to the parent', () => {
    expect(walk('ArrowLeft', rows, 1)).toEqual({ close: 'b' });
    expect(walk('ArrowLeft', rows, 2)).toEqual({ go: 1 });
  });

  it('open with right, then go to the first child', () => {
    const closed = visibleRows(buildTree([span('a', '', 0), span('b', 'a', 1)]), new Set(['a']));
    expect(walk('ArrowRight', closed, 0)).toEqual({ open: 'a' });
    expect(walk('ArrowRight', rows, 1)).toEqual({ go: 2 });
    expect(walk('ArrowRight', rows, 2)).toBeUndefined();
  });

  it('leave with Escape and leave other keys alone', () => {
    expect(walk('Escape', rows, 2)).toEqual({ leave: true });
    expect(walk('x', rows, 2)).toBeUndefined();
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
