import { describe, expect, it } from 'vitest';
import type { RoleVersion } from '../../api/types.ts';
import { changes } from '../../parts/diff.ts';
import { roleText } from './roleText.ts';

const role: RoleVersion = {
  code: 'a',
  version: 1,
  deleted: false,
  description: 'writes',
  system_message: 'Be brief.\nBe exact.',
  chain: [{ provider: 'openai', model: 'gpt-4.1', timeout_ms: 60_000 }],
  parameters: { temperature: 0.2 },
  response_format: null,
  rate_limit_interval_ms: 0,
  updated_at: '2026-11-01T00:00:00Z',
  updated_by: 'kim',
};

describe('the difference between two versions of a role', () => {
  it('is nothing when nothing changed, whoever saved it', () => {
    expect(changes(roleText(role), roleText({ ...role, version: 2, updated_by: 'lee' }))).toEqual([]);
  });

  it('is told line by line', () => {
    const after = { ...role, system_message: 'Be brief.\nBe kind.' };
    expect(
      changes(roleText(role), roleText(after)).filter((l) => l.change === 'added' || l.change === 'removed'),
    ).toEqual([
      { change: 'removed', text: '  Be exact.' },
      { change: 'added', text: '  Be kind.' },
    ]);
  });
});
