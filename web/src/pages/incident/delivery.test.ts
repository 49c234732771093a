import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../api/types.ts';
import { attemptsOf, troubled } from './delivery.ts';

const delivery = (part: Partial<Delivery>) => ({ id: 1, log: [], ...part }) as unknown as Delivery;
const attempt = (number: number, error = '') => ({
  number,
  at: '2026-11-29T12:00:00Z',
  took_ms: 5,
  outcome: error ? 'retried' : 'delivered',
  error,
});

describe('the attempts of a delivery', () => {
  it('are its own', () => {
    expect(attemptsOf(delivery({ log: [attempt(1, 'refused'), attempt(2)] }))).toHaveLength(2);
  });

  it('are those of the message that told it together with others, however often joined', () => {
    const last = delivery({ id: 9, log: [attempt(1)] });
    expect(attemptsOf(delivery({ together: delivery({ id: 5, together: last }) }))).toEqual(last.log);
  });

  it('are shown at once when one failed', () => {
    expect(troubled(delivery({ log: [attempt(1, 'refused'), attempt(2)] }))).toBe(true);
    expect(troubled(delivery({ log: [attempt(1)] }))).toBe(false);
    expect(troubled(delivery({}))).toBe(false);
  });
});
