import { describe, expect, it } from 'vitest';
import { asProblem, Problem } from '../../api/problem.ts';
import type { AlarmKind, Rule } from '../../api/types.ts';
import { draftOf, freeName, fresh, labelOf, labelTexts, patternFault, withParam } from './draft.ts';

const kind: AlarmKind = {
  name: 'host_cpu',
  group: 'resources',
  minutes: true,
  scoped: false,
  params: [
    { name: 'threshold_percent', type: 'number', unit: '%', default: 90 },
    { name: 'calm_percent', type: 'number', unit: '%', optional: true },
  ],
  count: 5,
  window_minutes: 10,
  quiet_minutes: 15,
  severity: 'critical',
};

describe('a new rule', () => {
  it('begins with what its kind says, and says nothing of what has no default', () => {
    expect(fresh(kind)).toMatchObject({
      kind: 'host_cpu',
      params: { threshold_percent: 90 },
      count: 5,
      window_minutes: 10,
      quiet_minutes: 15,
      severity: 'critical',
    });
  });

  it('leaves out a parameter that was emptied, and keeps one that is zero', () => {
    expect(withParam({ a: 1, b: 'x' }, 'b', '')).toEqual({ a: 1 });
    expect(withParam({ a: 1 }, 'a', undefined)).toEqual({});
    expect(withParam({ a: 1 }, 'a', 0)).toEqual({ a: 0 });
  });
});

describe('a rule that is edited', () => {
  it('sends no field the API would refuse', () => {
    const rule = { ...fresh(kind), id: 3, version: 2, updated_by: 'x', project_id: 1 } as unknown as Rule;
    expect(Object.keys(draftOf(rule)).sort()).toEqual(Object.keys(fresh(kind)).sort());
  });

  it('is duplicated under a name that is free', () => {
    expect(freeName('Slow', new Set(['Slow']))).toBe('Slow 2');
    expect(freeName('Slow 2', new Set(['Slow', 'Slow 2', 'Slow 3']))).toBe('Slow 4');
    expect(freeName('x'.repeat(100), new Set()).length).toBeLessThanOrEqual(100);
  });
});

describe('labels', () => {
  it('are written as name=value', () => {
    expect(labelOf(' team = payments ')).toEqual(['team', 'payments']);
    expect(labelOf('team:a=b')).toEqual(['team', 'a=b']);
    expect(labelOf('no label')).toBeUndefined();
    expect(labelOf('9=x')).toBeUndefined();
    expect(labelTexts({ b: '2', a: '1' })).toEqual(['a=1', 'b=2']);
  });
});

describe('a pattern', () => {
  it('that cannot be read is said while one types', () => {
    expect(patternFault('Timeout.*Exception$')).toBeUndefined();
    expect(patternFault('(?i)timeout')).toBeUndefined();
    expect(patternFault('(')).toBeDefined();
  });
});

describe('what the server refuses', () => {
  it('is known by the field, from one fault or from several', () => {
    const one = new Problem(400, { detail: 'no time zone', field: 'mutes[0].zone' });
    expect(asProblem(one).faults).toEqual({ 'mutes[0].zone': 'no time zone' });
    const several = new Problem(422, { violations: [{ field: 'body.count', message: 'too many' }] });
    expect(several.faults).toEqual({ count: 'too many' });
  });
});
