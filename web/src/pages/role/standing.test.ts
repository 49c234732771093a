import { describe, expect, it } from 'vitest';
import type { Label } from '../../api/types.ts';
import { inProduction, labelChanges, labelsOf } from './standing.ts';

const label = (part: Partial<Label>): Label => ({
  name: 'production',
  version: 1,
  canary_version: 0,
  canary_share: 0,
  protected: true,
  updated_at: '2026-11-01T00:00:00Z',
  updated_by: 'kim',
  ...part,
});

describe('the labels of a role', () => {
  it('say which versions calls use, canaries included', () => {
    const labels = [
      label({ name: 'candidate', version: 3 }),
      label({ version: 2, canary_version: 3, canary_share: 10 }),
    ];
    expect(inProduction(labels)?.version).toBe(2);
    expect(labelsOf(3, labels).map((each) => each.name)).toEqual(['candidate', 'production']);
    expect(labelsOf(4, labels)).toEqual([]);
  });
});

describe('the move of a label', () => {
  it('is told by what it changes', () => {
    expect(labelChanges(label({}), label({ version: 2 }))).toEqual([{ what: 'version', before: 1, after: 2 }]);
    expect(labelChanges(label({}), label({}))).toEqual([]);
    expect(labelChanges(null, label({}))).toEqual([
      { what: 'made', version: 1 },
      { what: 'protected', after: true },
    ]);
    expect(labelChanges(label({}), null)).toEqual([{ what: 'removed', version: 1 }]);
  });

  it('ends a canary that is not taken along', () => {
    expect(labelChanges(label({ canary_version: 2, canary_share: 5 }), label({ version: 2 }))).toEqual([
      { what: 'version', before: 1, after: 2 },
      { what: 'canary', before: { version: 2, share: 5 }, after: undefined },
    ]);
    expect(
      labelChanges(label({ canary_version: 2, canary_share: 5 }), label({ canary_version: 2, canary_share: 50 })),
    ).toEqual([{ what: 'canary', before: { version: 2, share: 5 }, after: { version: 2, share: 50 } }]);
  });
});
