import type { TFunction } from 'i18next';
import { describe, expect, it } from 'vitest';
import { amount, nearness, type Said, sentence, subjectName, whom } from './words.ts';

// The key with what is put into it: which words are chosen, in whatever language.
const t = ((key: string, values: Record<string, unknown> = {}) =>
  [key, ...Object.entries(values).map(([name, value]) => `${name}=${value}`)].join(' ')) as unknown as TFunction;

const said: Said = { owner: 0, scope: 'person', of: '', name: '', measure: 'tokens', period: 'day', limit: 100000 };

describe('whom a budget is about', () => {
  it('is each of them when it is about none alone', () => {
    expect(whom(said, undefined, t)).toBe('budgets.each.person');
  });
  it('is named by its name, and by its number when that is gone', () => {
    expect(whom({ ...said, of: '7', name: 'Kim' }, undefined, t)).toBe('budgets.one.person name=Kim');
    expect(whom({ ...said, of: '7' }, undefined, t)).toBe('budgets.one.person name=budgets.number id=7');
    expect(whom({ ...said, scope: 'role', of: 'writer' }, undefined, t)).toBe('budgets.one.role name=writer');
  });
  it('is of the organisation whose budget it is, unless it is the organisation', () => {
    expect(whom({ ...said, owner: 3 }, 'Shop', t)).toBe('budgets.within whom=budgets.each.person org=Shop');
    expect(whom({ ...said, owner: 3, scope: 'org', of: '3', name: 'Shop' }, 'Shop', t)).toBe(
      'budgets.one.org name=Shop',
    );
  });
});

it('tells the limit with its unit and period, never rounded', () => {
  expect(sentence(said, undefined, t)).toBe(
    'budgets.sentence whom=budgets.each.person amount=budgets.per.day amount=budgets.amount.tokens n=100,000',
  );
  expect(amount('usd', 1234.5, t)).toBe('$1,234.50');
  expect(amount('usd', 0.0123, t)).toBe('$0.0123');
  expect(amount('usd', 0, t)).toBe('$0.00');
});

it('names who has used something', () => {
  expect(subjectName('all', { subject: '', name: '' }, t)).toBe('budgets.each.all');
  expect(subjectName('role', { subject: 'writer', name: '' }, t)).toBe('writer');
  expect(subjectName('person', { subject: '3', name: 'Kim' }, t)).toBe('Kim');
  expect(subjectName('person', { subject: '3', name: '' }, t)).toBe('budgets.gone id=3');
});

it('is near from the soft limit on, or from 80 percent', () => {
  expect(nearness(0.79, 0)).toBe('far');
  expect(nearness(0.8, 0)).toBe('near');
  expect(nearness(0.5, 50)).toBe('near');
  expect(nearness(0.8, 95)).toBe('near');
  expect(nearness(1, 50)).toBe('over');
});
