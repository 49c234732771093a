import { expect, test } from 'vitest';
import { EMPTY, matchersOf } from './MatcherFields.tsx';

test('what is left empty matches anything, and labels are read as pairs', () => {
  expect(matchersOf(EMPTY)).toEqual({});
  expect(
    matchersOf({ rule: '7', service: ' pay ', phase: '', subject: 'GET /a', labels: 'team = pay, nonsense, a=b=c' }),
  ).toEqual({
    rule_id: 7,
    service: 'pay',
    subject: 'GET /a',
    labels: { team: 'pay', a: 'b=c' },
  });
});
