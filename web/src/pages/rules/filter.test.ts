import { describe, expect, it } from 'vitest';
import type { AlarmKind, Rule } from '../../api/types.ts';
import { failureOf, filtered } from './filter.ts';

const rule = (part: object): Rule =>
  ({ name: 'r', kind: 'slow_sql', enabled: true, severity: 'warning', service: '', ...part }) as Rule;
const kindOf = (name: string) => ({ group: name === 'host_cpu' ? 'resources' : 'database' }) as AlarmKind;
const told = (r: Rule) => [r.name, r.service];

const rules = [
  rule({ name: 'Slow SQL', service: 'order-api' }),
  rule({ name: 'CPU', kind: 'host_cpu', severity: 'critical', enabled: false }),
  rule({ name: 'Broken', failing_since: '2026-11-29T10:00:00Z', failure: 'no such metric' }),
];
const names = (filter: Parameters<typeof filtered>[1]) => filtered(rules, filter, kindOf, told).map((r) => r.name);

describe('the list of rules', () => {
  it('shows all without a filter', () => expect(names({})).toEqual(['Slow SQL', 'CPU', 'Broken']));
  it('finds every word somewhere, whatever its case', () => {
    expect(names({ q: 'slow ORDER' })).toEqual(['Slow SQL']);
    expect(names({ q: 'slow payment' })).toEqual([]);
  });
  it('narrows by area, severity and state', () => {
    expect(names({ group: 'resources' })).toEqual(['CPU']);
    expect(names({ severity: 'critical' })).toEqual(['CPU']);
    expect(names({ state: 'on' })).toEqual(['Slow SQL', 'Broken']);
    expect(names({ state: 'off' })).toEqual(['CPU']);
    expect(names({ state: 'failing' })).toEqual(['Broken']);
  });
  it('says why a rule cannot be evaluated', () => {
    expect(failureOf(rules[2] as Rule)).toEqual({ since: '2026-11-29T10:00:00Z', why: 'no such metric' });
    expect(failureOf(rules[0] as Rule)).toBeUndefined();
  });
});
