import { describe, expect, it } from 'vitest';
import type { ResultVariant } from '../../api/types.ts';
import { best, numbers, variantName } from './variant.ts';

const rate = (hits: number, of: number) => ({ hits, of, rate: of ? hits / of : 0, low: 0, high: 1 });
const variant = (part: Partial<ResultVariant>): ResultVariant => ({
  version: 1,
  provider: '',
  model: '',
  dropped: [],
  cells: 4,
  finished: 4,
  failed: 0,
  valid: rate(4, 4),
  grounded: rate(4, 4),
  thumbs: { up: 0, down: 0 },
  p50_ms: 100,
  cost_per_call: 0.01,
  cost_usd: 0.04,
  ...part,
});

describe('the best variant', () => {
  it('answers validly before it is cheap, and is cheap before it is fast', () => {
    const slow = variant({ p50_ms: 900 });
    const invalid = variant({ valid: rate(3, 4), cost_per_call: 0.001 });
    const dear = variant({ cost_per_call: 0.02, p50_ms: 1 });
    expect(best([invalid, dear, slow])).toBe(2);
  });
  it('is none while there is nothing to compare', () => {
    expect(best([variant({}), variant({ finished: 0 })])).toBeUndefined();
    expect(best([variant({ finished: 2, failed: 2 }), variant({})])).toBeUndefined();
  });
});

it('a variant is named by what the experiment chose', () => {
  const words = { version: 'v', temperature: 'T', top_p: 'P' };
  expect(variantName({ version: 3, provider: 'x', model: 'm', temperature: 0, dropped: [] }, words)).toEqual([
    'v 3',
    'm',
    'T 0',
  ]);
});

it('what is no number is no value of an axis', () => {
  expect(numbers(['0', '0.5', 'x', '1.0'])).toEqual([0, 0.5, 1]);
});
