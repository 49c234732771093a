import { expect, it } from 'vitest';
import { type Draft, edit, wrong } from './draft.ts';

const draft: Draft = { scope: 'person', of: '', measure: 'tokens', period: 'day', limit: 1000, soft: 80 };

it('takes whole requests and tokens, and parts of dollars', () => {
  expect(wrong(draft)).toEqual({ limit: false, soft: false });
  expect(wrong({ ...draft, limit: 0.5 }).limit).toBe(true);
  expect(wrong({ ...draft, limit: 0.5, measure: 'usd' }).limit).toBe(false);
  expect(wrong({ ...draft, limit: '' }).limit).toBe(true);
  expect(wrong({ ...draft, limit: 0 }).limit).toBe(true);
  expect(wrong({ ...draft, limit: 2e7, measure: 'usd' }).limit).toBe(true);
});

it('tells people below the limit, or nobody', () => {
  expect(wrong({ ...draft, soft: 0 }).soft).toBe(false);
  expect(wrong({ ...draft, soft: '' }).soft).toBe(false);
  expect(wrong({ ...draft, soft: 100 }).soft).toBe(true);
});

it('leaves out what is not said', () => {
  expect(edit({ ...draft, soft: '' })).toEqual({ scope: 'person', measure: 'tokens', period: 'day', limit: 1000 });
  expect(edit({ ...draft, of: '7' })).toMatchObject({ of: '7', soft_percent: 80 });
});
