import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../api/types.ts';
import { timeline } from './timeline.ts';

const attempt = (at: string, part: Partial<Attempt>) =>
  ({ at, latency_ms: 0, first_token_ms: 0, wait_ms: 0, ...part }) as Attempt;

describe('the timeline of a call', () => {
  it('places the attempts and the pauses between them on one axis', () => {
    const { total, steps } = timeline({
      at: '2026-11-01T00:00:00.000Z',
      latency_ms: 1_700,
      attempts: [
        attempt('2026-11-01T00:00:00.100Z', { latency_ms: 400, wait_ms: 200 }),
        attempt('2026-11-01T00:00:00.700Z', { latency_ms: 1_000, first_token_ms: 300 }),
      ],
    });
    expect(total).toBe(1_700);
    expect(steps).toEqual([
      { start: 100, first: 0, took: 400, wait: 200 },
      { start: 700, first: 300, took: 1_000, wait: 0 },
    ]);
  });

  it('is long enough for what was rounded, and never of no length', () => {
    expect(timeline({ at: '2026-11-01T00:00:00Z', latency_ms: 0, attempts: [] }).total).toBe(1);
    const late = attempt('2026-11-01T00:00:00.005Z', { latency_ms: 10 });
    expect(timeline({ at: '2026-11-01T00:00:00Z', latency_ms: 14, attempts: [late] }).total).toBe(15);
  });
});
