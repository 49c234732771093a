import { expect, it } from 'vitest';
import { variablesOf } from './variables.ts';

it('variables are told once and without the language', () => {
  expect(variablesOf('In {{language}} for {{ team }} and {{service_1}}, {{team}}; not {{No}} nor {x}')).toEqual([
    'team',
    'service_1',
  ]);
});
