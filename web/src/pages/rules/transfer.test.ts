import { describe, expect, it } from 'vitest';
import type { AlarmKind, Channel, Rule, View } from '../../api/types.ts';
import { isOurs, read, written } from './transfer.ts';

const kinds = [
  { name: 'slow_sql', params: [{ name: 'threshold_ms', type: 'number' }] },
  { name: 'saved_query', params: [{ name: 'view', type: 'view' }] },
] as AlarmKind[];
const here = {
  kinds,
  channels: [{ id: 7, name: 'ops' }] as Channel[],
  views: [{ id: 4, name: 'checkout errors' }] as View[],
};
const there = {
  kinds,
  channels: [{ id: 1, name: 'ops' }] as Channel[],
  views: [{ id: 9, name: 'checkout errors' }] as View[],
};
const rule = (part: object): Rule =>
  ({
    id: 1,
    version: 3,
    name: 'Slow',
    kind: 'slow_sql',
    enabled: true,
    service: '',
    environment: '',
    params: { threshold_ms: 8000 },
    count: 1,
    window_minutes: 10,
    quiet_minutes: 10,
    channels: [7],
    severity: 'warning',
    owner: '',
    runbook: '',
    labels: {},
    mutes: [],
    ...part,
  }) as unknown as Rule;

describe('rules in a file', () => {
  it('come back in another project with its own channels and saved searches', () => {
    const text = written([rule({}), rule({ name: 'Saved', kind: 'saved_query', params: { view: 4 } })], here);
    expect(isOurs(text)).toBe(true);
    const [slow, saved] = read(text, new Set(), there);
    expect(slow).toMatchObject({ draft: { name: 'Slow', channels: [1], params: { threshold_ms: 8000 } }, missing: [] });
    expect(slow?.skip).toBeUndefined();
    expect(saved?.draft.params).toEqual({ view: 9 });
  });

  it('are left out when the project has the name, or lacks what they need', () => {
    const text = written(
      [rule({}), rule({ name: 'Saved', kind: 'saved_query', params: { view: 4 } }), rule({ name: 'Odd', kind: 'odd' })],
      here,
    );
    const items = read(text, new Set(['Slow']), { ...there, views: [], channels: [] });
    expect(items.map((item) => item.skip)).toEqual(['exists', 'view', 'kind']);
    expect(items[0]?.missing).toEqual(['ops']);
  });

  it('of one name are made once', () => {
    const items = read(written([rule({}), rule({})], here), new Set(), there);
    expect(items.map((item) => item.skip)).toEqual([undefined, 'twice']);
  });

  it('that are no rules are refused', () => {
    expect(() => read('{"a": 1}', new Set(), here)).toThrow();
    expect(isOurs('groups:\n- name: x\n')).toBe(false);
  });
});
