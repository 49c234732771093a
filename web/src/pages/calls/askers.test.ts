import { expect, it } from 'vitest';
import type { CallAsker } from '../../api/types.ts';
import { askersOf } from './askers.ts';

const asker = (by: CallAsker['by'], key: string, name = ''): CallAsker => ({ by, key, name, calls: 1 });
const askers = [
  asker('person', '0'),
  asker('person', '7', 'Kim'),
  asker('person', '9', 'Ahn'),
  asker('token', '7', 'robot'),
  asker('purpose', '0'),
];

it('who asked is chosen by name, each kind among its own', () => {
  expect(askersOf(askers, 'person', undefined, 'nobody')).toEqual([
    { value: '9', label: 'Ahn' },
    { value: '7', label: 'Kim' },
    { value: '0', label: 'nobody' },
  ]);
  expect(askersOf(askers, 'token', undefined, 'nobody')).toEqual([{ value: '7', label: 'robot' }]);
  expect(askersOf(askers, 'purpose', undefined, 'nobody')).toEqual([{ value: '0', label: '0' }]);
});

it('two of one name are told apart by their number', () => {
  const labels = askersOf([...askers, asker('person', '8', 'Kim')], 'person', undefined, 'nobody').map((o) => o.label);
  expect(labels).toEqual(['Ahn', 'Kim (7)', 'Kim (8)', 'nobody']);
});

it('who was chosen stays to be seen where no call is theirs', () => {
  expect(askersOf([], 'person', '12', 'nobody')).toEqual([{ value: '12', label: '12' }]);
  expect(askersOf([], 'person', '0', 'nobody')).toEqual([{ value: '0', label: 'nobody' }]);
});
