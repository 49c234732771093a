import { describe, expect, it } from 'vitest';
import type { KeyCheck } from '../../api/types.ts';
import { verdict } from './verdict.ts';

const check = (part: Partial<KeyCheck>): KeyCheck => ({
  ok: false,
  class: '',
  code: '',
  status: 0,
  message: '',
  model: '',
  models: [],
  latency_ms: 1,
  call_id: '',
  ...part,
});

describe('what the check of a key found', () => {
  it('is how many models are listed, or that the named one answered', () => {
    expect(verdict(check({ ok: true, models: ['a', 'b'] }))).toEqual({ found: 'listed', models: 2 });
    expect(verdict(check({ ok: true, model: 'a' }))).toEqual({ found: 'answered', model: 'a' });
  });

  it('is why the service was not reached', () => {
    for (const why of ['host_unknown', 'refused', 'tls', 'timeout'] as const) {
      expect(verdict(check({ class: 'transport', code: why }))).toEqual({ found: 'unreached', why });
    }
    expect(verdict(check({ class: 'transport', code: 'odd' }))).toEqual({ found: 'unreached', why: 'unknown' });
  });

  it('tells a missing list of models from a missing model', () => {
    expect(verdict(check({ class: 'unknown_model' }))).toEqual({ found: 'no_list' });
    expect(verdict(check({ class: 'unknown_model', model: 'a' }))).toEqual({ found: 'remedy', what: 'unknown_model' });
  });

  it('is the failure, also one it does not know', () => {
    expect(verdict(check({ class: 'unauthenticated' }))).toEqual({ found: 'remedy', what: 'unauthenticated' });
    expect(verdict(check({ class: 'bad_request' }))).toEqual({ found: 'failure', what: 'bad_request' });
    expect(verdict(check({ class: 'new_one' }))).toEqual({ found: 'other' });
  });
});
