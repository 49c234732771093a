import { expect, test } from 'vitest';
import type { MapEdge, MapNode, ServiceMap } from '../../api/types.ts';
import { atMoment, momentAt, momentsOf, windowOf } from './moments.ts';

const at = (text: string) => Date.parse(`2026-06-17T${text}Z`);

test('a range is cut into whole steps that begin where a clock says so', () => {
  expect(momentsOf(at('14:03:30'), at('15:03:30'))).toEqual({ from: at('14:03:00'), step: 60_000, count: 61 });
  expect(momentsOf(at('09:01:00'), at('15:01:00'))).toEqual({ from: at('09:00:00'), step: 300_000, count: 73 });
});

test('no range has so many steps that they cannot be told apart', () => {
  for (const minutes of [1, 15, 60, 360, 1440, 10_080, 20_160, 525_600, 5_256_000]) {
    const { from, step, count } = momentsOf(at('14:03:30'), at('14:03:30') + minutes * 60_000);
    expect(count).toBeLessThanOrEqual(73);
    expect(from).toBeLessThanOrEqual(at('14:03:30'));
    expect(from + step * count).toBeGreaterThanOrEqual(at('14:03:30') + minutes * 60_000);
  }
});

test('a time outside of the range shows the nearest moment', () => {
  const moments = momentsOf(at('14:00:00'), at('15:00:00'));
  expect(momentAt(moments, at('14:10:30'))).toBe(10);
  expect(momentAt(moments, at('11:00:00'))).toBe(0);
  expect(momentAt(moments, at('18:00:00'))).toBe(59);
  expect(windowOf(moments, 10)).toEqual({ from: '2026-06-17T14:10:00.000Z', to: '2026-06-17T14:11:00.000Z' });
});

test('what was silent in a moment keeps its place, with nothing in it', () => {
  const node = (id: string, count: number) =>
    ({ id, kind: 'service', name: id, count, errors: 1, p95_ns: 7 }) as MapNode;
  const edge = (from: string, to: string, count: number) => ({ from, to, count, errors: 0, unanswered: 0 }) as MapEdge;
  const map = (nodes: MapNode[], edges: MapEdge[]) => ({ nodes, edges, environments: [] }) as unknown as ServiceMap;
  const whole = map([node('a', 10), node('b', 10)], [edge('a', 'b', 10), edge('b', 'a', 1)]);
  const shown = atMoment(whole, map([node('b', 2), node('c', 5)], [edge('b', 'a', 1)]));
  expect(shown.nodes.map((n) => [n.id, n.count, n.p95_ns])).toEqual([
    ['a', 0, 0],
    ['b', 2, 7],
  ]);
  expect(shown.edges.map((e) => e.count)).toEqual([0, 1]);
});
