import { describe, expect, it } from 'vitest';
import { layout, type Place } from './layout.ts';

const none: ReadonlyMap<string, Place> = new Map();
const calls = (...pairs: string[]) =>
  pairs.map((p) => {
    const [from = '', to = ''] = p.split('>');
    return { from, to };
  });

describe('a layout', () => {
  it('puts callees behind their callers', () => {
    const places = layout(['u', 'a', 'b', 'db'], calls('u>a', 'a>b', 'a>db', 'b>db'), none);
    expect(['u', 'a', 'b', 'db'].map((id) => places.get(id)?.layer)).toEqual([0, 1, 2, 3]);
  });

  it('is the same in whatever order nodes and calls come', () => {
    const ids = ['u', 'a', 'b', 'c', 'd'];
    const all = calls('u>a', 'a>b', 'a>c', 'b>d', 'c>d');
    expect(layout([...ids].reverse(), [...all].reverse(), none)).toEqual(layout(ids, all, none));
  });

  it('survives circles and calls to oneself', () => {
    const places = layout(['a', 'b', 'c'], calls('a>b', 'b>c', 'c>a', 'b>b'), none);
    expect(places.size).toBe(3);
  });

  it('crosses no lines that need not cross', () => {
    const places = layout(['a', 'b', 'y', 'z'], calls('a>z', 'b>y'), none);
    const slot = (id: string) => places.get(id)?.slot ?? 0;
    expect(Math.sign(slot('a') - slot('b'))).toBe(Math.sign(slot('z') - slot('y')));
  });

  it('moves nothing when a node comes or goes', () => {
    const before = layout(['a', 'b', 'c'], calls('a>b', 'a>c'), none);
    const more = layout(['0', 'a', 'b', 'c', 'bb'], calls('a>b', 'a>c', 'a>bb', '0>a'), before);
    for (const [id, place] of before) expect(more.get(id)).toEqual(place);
    const spots = [...more.values()].map((p) => `${p.layer}/${p.slot}`);
    expect(new Set(spots).size).toBe(spots.length);
    const fewer = layout(['a', 'c'], calls('a>c'), more);
    expect(fewer.get('c')).toEqual(before.get('c'));
  });
});
