import { describe, expect, it } from 'vitest';
import { decode, follow } from './scatter.ts';
import type { Scatter } from './types.ts';

const answer = (over: Partial<Scatter>): Scatter => ({
  total: 3,
  errors: 1,
  longest_ns: 9e9,
  thinned: false,
  cell_px: 0,
  cursor: '1',
  ended: [1000, 5, 0],
  elapsed: [10, 20, 30],
  failed: [2],
  ...over,
});

describe('a scatter', () => {
  it('is read out of its distances', () => {
    const dots = decode(answer({ failed: [0, 2] }), 7);
    expect([...dots.ended]).toEqual([1000, 1005, 1005]);
    expect([...dots.elapsed]).toEqual([10, 20, 30]);
    expect([...dots.failed]).toEqual([1, 0, 1]);
    expect(decode(answer({ ended: [], elapsed: [], failed: [], total: 0 }), 7).ended).toHaveLength(0);
  });

  it('goes on with what arrived since, and lets go what left the picture', () => {
    const held = decode(answer({}), 7);
    const news = decode(
      answer({ ended: [990, 100], elapsed: [1, 2], failed: [1], total: 2, cursor: '2', longest_ns: 1 }),
      9,
    );
    const dots = follow(held, news, 1001);
    // A late one came although it ended before the others; it is the next look's to let it go.
    expect([...dots.ended]).toEqual([1005, 1005, 990, 1090]);
    expect([...dots.failed]).toEqual([0, 1, 0, 1]);
    expect(dots).toMatchObject({ total: 4, errors: 2, cursor: '2', longest: 9e9, readAt: 7, at: 9 });
  });

  it('adds up what is not drawn while it is thinned', () => {
    const held = decode(answer({ total: 5000, errors: 50, cell_px: 3, thinned: true }), 7);
    expect(follow(held, decode(answer({}), 9), 0)).toMatchObject({ total: 5003, errors: 51, cell: 3 });
  });
});
