import { describe, expect, it } from 'vitest';
import type { LogHistogram } from '../../api/types.ts';
import { stack, timeTicks } from './bars.ts';

describe('the bars of a histogram', () => {
  const data: LogHistogram = {
    from: '2026-11-25T00:00:00Z',
    step_seconds: 60,
    bars: 3,
    total: 9,
    levels: [
      { level: 'info', counts: [3, 0, 2], total: 5 },
      { level: 'error', counts: [1, 0, 3], total: 4 },
    ],
  };

  it('stand upon each other, the gravest at the ground', () => {
    const { bars, top, n } = stack(data, []);
    expect([top, n]).toEqual([5, 3]);
    expect(bars[0]?.parts).toEqual([
      { level: 'error', from: 0, to: 1 },
      { level: 'info', from: 1, to: 4 },
    ]);
    expect(bars[1]?.parts).toEqual([]);
  });

  it('are of the chosen levels', () => {
    expect(stack(data, ['info']).top).toBe(3);
    expect(stack({ ...data, levels: [] }, []).bars.map((bar) => bar.parts)).toEqual([[], [], []]);
  });

  it('have round moments below them', () => {
    const from = new Date(2026, 10, 25, 13, 7, 20).getTime();
    const labels = (ms: number) => timeTicks(from, from + ms, 6).map((tick) => tick.label);
    expect(labels(60 * 60_000)).toEqual(['13:10', '13:20', '13:30', '13:40', '13:50', '14:00']);
    expect(labels(60_000)).toEqual([
      '13:07:20',
      '13:07:30',
      '13:07:40',
      '13:07:50',
      '13:08:00',
      '13:08:10',
      '13:08:20',
    ]);
    expect(labels(24 * 3_600_000)).toEqual(['18:00', '11-26', '06:00', '12:00']);
  });
});
