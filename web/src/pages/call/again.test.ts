import { describe, expect, it } from 'vitest';
import type { Role } from '../../api/types.ts';
import { type Again, entriesOf, OTHER, requestOf } from './again.ts';

const again = (part: Partial<Again> = {}): Again => ({
  version: 3,
  model: '',
  provider: '',
  name: '',
  parameters: {},
  variables: {},
  originals: false,
  ...part,
});

describe('a call that is asked again', () => {
  it('is asked as the version says where nothing was chosen', () => {
    expect(requestOf(again(), [])).toEqual({ version: 3 });
    expect(requestOf(again({ parameters: { temperature: undefined } }), [])).toEqual({ version: 3 });
  });
  it('is asked of an entry of the chain, whose model may hold a slash', () => {
    expect(requestOf(again({ model: 'lab/meta/llama-3' }), [])).toEqual({
      version: 3,
      provider: 'lab',
      model: 'meta/llama-3',
    });
  });
  it('is asked of another model once both of its names are there', () => {
    expect(requestOf(again({ model: OTHER, provider: 'openai' }), [])).toEqual({ version: 3 });
    expect(requestOf(again({ model: OTHER, provider: 'openai', name: ' gpt-5 ' }), [])).toEqual({
      version: 3,
      provider: 'openai',
      model: 'gpt-5',
    });
  });
  it('carries the parameters, variables and originals that were asked for', () => {
    const parameters = { temperature: 0, top_p: 0.5, max_tokens: 200, reasoning_effort: 'low' };
    expect(requestOf(again({ parameters, variables: { team: 'ops', old: 'x' }, originals: true }), ['team'])).toEqual({
      version: 3,
      parameters,
      variables: { team: 'ops' },
      originals: true,
    });
  });
  it('offers each model of a chain once', () => {
    const entry = (provider: string, model: string) => ({ provider, model });
    const role = { chain: [entry('a', 'm'), entry('b', 'm'), entry('a', 'm')] } as unknown as Role;
    expect(entriesOf(role)).toEqual(['a/m', 'b/m']);
    expect(entriesOf(undefined)).toEqual([]);
  });
});
