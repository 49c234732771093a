import { describe, expect, it } from 'vitest';
import type { FlameNode } from '../../api/types.ts';
import { callsOf, foundIn, functionsOf, moduleOf } from './calls.ts';

const node = (name: string, self: number, ...children: FlameNode[]): FlameNode => ({
  name,
  self,
  total: children.reduce((sum, child) => sum + child.total, self),
  children,
});

// b calls itself, and is called from two places.
const graph = callsOf(node('shop', 0, node('a', 1, node('b', 2, node('b', 4))), node('c', 8, node('b', 16))));

describe('the calls of a flame graph', () => {
  it('add up by function, recursion once', () => {
    const sums = functionsOf(graph).map(({ name, self, total }) => [name, self, total]);
    expect(sums.sort()).toEqual([
      ['a', 1, 7],
      ['b', 22, 22],
      ['c', 8, 24],
    ]);
  });

  it('are found with their share counted once', () => {
    const found = foundIn(graph, 'B');
    expect(found.calls.size).toBe(3);
    expect(found.total).toBe(22);
    expect(foundIn(graph, 'shop').total).toBe(0);
  });

  it('have names that stay', () => {
    const ids = graph.all.map((each) => each.id);
    expect(new Set(ids).size).toBe(ids.length);
    const less = callsOf(node('shop', 0, node('c', 1, node('b', 1))));
    const there = (calls: typeof graph) => calls.all.find((each) => each.name === 'b' && each.parent?.name === 'c')?.id;
    expect(there(less)).toBe(there(graph));
  });

  it('belong to a module', () => {
    expect(moduleOf('com.shop.order.service.OrderService.find')).toBe('com.shop.order');
    expect(moduleOf('java.lang.Thread.run')).toBe('java.lang');
    expect(moduleOf('runtime.mallocgc')).toBe('runtime');
    expect(moduleOf('main')).toBe('main');
  });
});
