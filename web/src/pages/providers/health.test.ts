import { describe, expect, it } from 'vitest';
import type { Circuit, KeyHealth, ModelService } from '../../api/types.ts';
import { keyRows, standing } from './health.ts';

const circuit = (part: Partial<Circuit>): Circuit => ({
  provider: 'lab',
  model: 'm',
  key: 'main',
  state: 'closed',
  manual: false,
  reason: '',
  since: '',
  until: '',
  calls: 0,
  failures: 0,
  ...part,
});

const health = (provider: string, key: string): KeyHealth => ({
  provider,
  key,
  calls: 4,
  failures: 1,
  last_used: null,
  last_ok: null,
  last_failure: null,
  last_class: '',
  last_code: '',
});

const key = (alias: string, enabled = true) => ({
  alias,
  enabled,
  last_four: 'abcd',
  created_at: null,
  created_by: '',
  updated_at: null,
  updated_by: '',
});

const provider = (part: Partial<ModelService>): ModelService => ({
  org_id: 0,
  name: 'lab',
  kind: 'openai',
  base_url: '',
  in_house: false,
  enabled: true,
  configured: false,
  shadowed: false,
  keys: [],
  roles: [],
  version: 1,
  created_at: null,
  created_by: '',
  updated_at: null,
  updated_by: '',
  ...part,
});

describe('the circuits of a key', () => {
  it('stand for the worst of its models, which are named', () => {
    expect(standing([])).toEqual({ state: 'none', models: [] });
    expect(standing([circuit({}), circuit({ model: 'n' })])).toEqual({ state: 'closed', models: [] });
    const tried = [circuit({}), circuit({ model: 'n', state: 'half_open' })];
    expect(standing(tried)).toEqual({ state: 'half_open', models: ['n'] });
    const open = [...tried, circuit({ model: 'z', state: 'open' }), circuit({ model: 'b', state: 'open' })];
    expect(standing(open)).toEqual({ state: 'open', models: ['b', 'z'] });
  });

  it('are open when somebody opened one by hand', () => {
    expect(standing([circuit({ manual: true })])).toEqual({ state: 'open', models: ['m'] });
  });
});

describe('the keys of a provider', () => {
  it('have the health of their own alias and provider only', () => {
    const rows = keyRows(
      provider({ keys: [key('main'), key('spare', false)] }),
      [health('lab', 'main'), health('other', 'spare')],
      [circuit({ key: 'spare', state: 'open' }), circuit({ provider: 'other', state: 'open' })],
    );
    expect(rows.map((row) => [row.alias, row.enabled, row.health?.calls, row.circuit.state])).toEqual([
      ['main', true, 4, 'none'],
      ['spare', false, undefined, 'open'],
    ]);
  });

  it('are one without a secret where an address needs none, and none at all elsewhere', () => {
    const [row, ...more] = keyRows(provider({ base_url: 'http://gpu:8000/v1' }), [health('lab', 'default')], []);
    expect(more).toEqual([]);
    expect(row).toMatchObject({ alias: 'default', keyless: true, enabled: true, health: { calls: 4 } });
    expect(keyRows(provider({}), [], [])).toEqual([]);
  });

  it('do not take the health of the one that shadows them', () => {
    const [row] = keyRows(provider({ shadowed: true, keys: [key('main')] }), [health('lab', 'main')], [circuit({})]);
    expect(row).toMatchObject({ health: undefined, circuit: { state: 'none' } });
  });
});
