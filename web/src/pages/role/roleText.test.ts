import { describe, expect, it } from 'vitest';
import type { RoleVersion } from '../../api/types.ts';
import { changes } from '../../parts/diff.ts';
import { settingsText } from './roleText.ts';

const role: RoleVersion = {
  owner: 0,
  code: 'a',
  version: 1,
  deleted: false,
  name: '',
  notes: '',
  retries: null,
  log_optional: false,
  keep_texts: '',
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
  const difference = (after: Partial<RoleVersion>) =>
    changes(settingsText(role), settingsText({ ...role, ...after })).flatMap((line) =>
      line.change === 'added' || line.change === 'removed' ? [`${line.change} ${line.text}`] : [],
    );

  it('is nothing when nothing changed, whoever saved it and why', () => {
    expect(difference({ version: 2, updated_by: 'lee', notes: 'again' })).toEqual([]);
  });

  it('is told setting by setting', () => {
    expect(difference({ retries: 0, parameters: { temperature: 0.2, stop: ['\n'] } })).toEqual([
      'removed retries: default',
      'added retries: 0',
      'added parameters.stop: \\n',
    ]);
  });

  it('goes into each model of the chain', () => {
    const entry = {
      provider: 'openai',
      model: 'gpt-4.1',
      timeout_ms: 60_000,
      first_token_ms: 5_000,
      fall_through: ['timeout', 'overloaded'],
      parameters: { seed: 7 },
    };
    expect(difference({ chain: [entry] })).toEqual([
      'added chain.1.first_token_ms: 5000',
      'added chain.1.fall_through: timeout, overloaded',
      'added chain.1.parameters.seed: 7',
    ]);
  });
});
