import { describe, expect, it } from 'vitest';
import type { Rule } from '../../api/types.ts';
import { differences, withBefore } from './changes.ts';

const rule = (part: Partial<Rule>): Rule =>
  ({ name: 'slow', enabled: true, params: { threshold_ms: 8000 }, service: '', channels: [], ...part }) as Rule;

describe('two versions of a rule', () => {
  it('differ in what an editor changed, and not in version and author', () => {
    expect(differences(rule({ version: 1 }), rule({ version: 2, updated_by: 'x' }))).toEqual([]);
    expect(differences(rule({}), rule({ params: { threshold_ms: 3000 }, enabled: false, channels: [2] }))).toEqual([
      'enabled',
      'params',
      'channels',
    ]);
  });

  it('of which one names no channels and one an empty list are the same', () => {
    expect(differences(rule({ channels: null as never }), rule({ channels: [] }))).toEqual([]);
  });

  it('stand side by side, the first beside nothing', () => {
    const changes = [3, 2, 1].map((version) => ({ version, at: '', author: '', action: '', rule: rule({ version }) }));
    expect(withBefore(changes).map(({ change, before }) => [change.version, before?.version])).toEqual([
      [3, 2],
      [2, 1],
      [1, undefined],
    ]);
  });
});
