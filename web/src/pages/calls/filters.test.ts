import { expect, it } from 'vitest';
import { filterOf } from './Filters.tsx';

it('a model in the address is its provider and its name, which may hold slashes', () => {
  expect(filterOf({ model: 'local/meta/llama' })).toMatchObject({ provider: 'local', model: 'meta/llama' });
  expect(filterOf({ model: 'gpt' })).toMatchObject({ provider: undefined, model: 'gpt' });
});

it('a version is one of a role', () => {
  expect(filterOf({ version: 2 }).version).toBeUndefined();
  expect(filterOf({ role: 'writer', version: 2 }).version).toBe(2);
});
