import { describe, expect, it } from 'vitest';
import type { Transaction } from '../../api/types.ts';
import { suggest } from '../../parts/query/complete.ts';
import { type Axes, columns, edge, fromX, fromY, nice, rows, toX, toY } from './axis.ts';
import { knownOf } from './query.ts';
import { listed, readRectangle, writeRectangle } from './rectangle.ts';

const axes = (log: boolean): Axes => ({ width: 1000, height: 200, from: 0, to: 3_600_000, top: 10_000_000, log });

describe('the axes', () => {
  it.each([false, true])('lead there and back (logarithmic: %s)', (log) => {
    const a = axes(log);
    for (const us of [2_000, 50_000, 9_000_000]) expect(fromY(a, toY(a, us))).toBeCloseTo(us, 3);
    expect(fromX(a, toX(a, 1_234_567))).toBeCloseTo(1_234_567, 3);
    expect(toY(a, 99_000_000)).toBe(0);
    expect(toY(a, 0)).toBe(200);
    expect(fromY(a, 200)).toBe(0);
  });

  it('have round ends and lines', () => {
    expect([nice(1), nice(3), nice(5_001), nice(10_000)]).toEqual([1, 5, 10_000, 10_000]);
    expect(rows(axes(false))).toEqual([0, 2_500_000, 5_000_000, 7_500_000, 10_000_000]);
    expect(rows(axes(true))).toEqual([1_000, 10_000, 100_000, 1_000_000, 10_000_000]);
    expect(columns(axes(false)).every((ms) => ms % 300_000 === 0)).toBe(true);
  });

  it('are not pressed flat by a few outliers', () => {
    const elapsed = Float64Array.from({ length: 1000 }, (_, i) => (i === 7 ? 600_000_000 : 80_000 + i));
    expect(edge(elapsed, 600_000_000, false)).toBe(100_000);
    expect(edge(elapsed, 600_000_000, true)).toBe(1_000_000_000);
    expect(edge(new Float64Array(), 0, false)).toBe(1_000_000);
  });
});

describe('a rectangle', () => {
  it('lives in the address', () => {
    const one = { from: 1_764_000_000_000, to: 1_764_000_060_000, min: 0, max: 2_500_000 };
    expect(readRectangle(writeRectangle(one))).toEqual(one);
    for (const wrong of [
      undefined,
      '',
      '1_2_3',
      '1_2_3_x',
      '2_1_0_1',
      '1_2_2_1',
      '1_2_3_4_5',
      '-1_2_3_4',
      '1_9e99_0_1',
      '1__3_4',
    ]) {
      expect(readRectangle(wrong), wrong).toBeUndefined();
    }
  });

  it('lists exactly what lies in it: whole milliseconds and microseconds', () => {
    expect(listed({ from: 1000, to: 1000, min: 7, max: 7 })).toEqual({
      range: { from: '1970-01-01T00:00:01.000Z', to: '1970-01-01T00:00:01.001Z' },
      min_elapsed_ns: 7_000,
      max_elapsed_ns: 7_999,
    });
  });
});

describe('the search', () => {
  it('goes on with fields, and with values that are listed', () => {
    const known = knownOf([{ endpoint: 'GET /a', service: 'a' } as Transaction]);
    const offered = (text: string) => suggest(text, text.length, known).map((offer) => offer.text);
    expect(offered('sql.')).toEqual(['sql.count>', 'sql.time>', 'sql.rows>']);
    expect(offered('-att')).toEqual(['attr.']);
    expect(offered('endpoint:get')).toEqual(['"GET /a"']);
    expect(offered('status:')).toEqual(['ok']);
    expect(offered('zzz')).toEqual([]);
  });

  it('goes on with what senders say of themselves', () => {
    const known = knownOf([], [{ key: 'k8s.pod.name', values: [{ value: 'pod 1', resources: 3 }] }]);
    const offered = (text: string) => suggest(text, text.length, known).map((offer) => offer.text);
    expect(offered('pod')).toEqual(['resource.k8s.pod.name:']);
    expect(offered('-resource.')).toEqual(['resource.', 'resource.k8s.pod.name:']);
    expect(offered('resource.k8s.pod.name!=')).toEqual(['"pod 1"']);
  });
});
