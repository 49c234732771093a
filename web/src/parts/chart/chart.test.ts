import { describe, expect, it } from 'vitest';
import { grid, onGrid, summary } from './grid.ts';
import { path } from './path.ts';

describe('a chart', () => {
  const g = grid('2026-11-23T14:01:30Z', '2026-11-23T14:05:00Z', 60);
  const start = Date.parse('2026-11-23T14:01:00Z') / 1000;

  it('has a place for every step of its range', () => {
    expect(g.at).toEqual([0, 60, 120, 180].map((s) => start + s));
  });

  it('leaves a gap where nothing was recorded, and drops what is outside', () => {
    const points = [
      { at: start + 60, n: 0 },
      { at: start + 180, n: 7 },
      { at: start + 600, n: 9 },
    ];
    expect(onGrid(g, points, (p) => p.n)).toEqual([null, 0, null, 7]);
  });

  it('is summed up without its gaps', () => {
    expect(summary([null, 2, null, 4, null])).toEqual({ least: 2, average: 3, most: 4, last: 4 });
    expect(summary([null, null])).toBeUndefined();
  });
});

describe('a sparkline', () => {
  it('breaks at gaps and shows a lone point', () => {
    expect(path([1, 3, null, 2, null], 40, 10)).toBe('M0 6.7L10 0M30 3.3h0');
  });

  it('of nothing, or of nothing but zeroes, is no mountain', () => {
    expect(path([null, null], 40, 10)).toBe('');
    expect(path([0, 0], 40, 10)).toBe('M0 10L40 10');
  });
});
