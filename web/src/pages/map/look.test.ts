import { expect, test } from 'vitest';
import { minutesOf } from './look.ts';

const hour = { from: '2025-06-17T12:00:00Z', to: '2025-06-17T13:00:00Z' };

test('a map counts by the minutes that had passed when it was answered', () => {
  expect(minutesOf(hour, Date.parse('2025-06-17T12:30:00Z'))).toBe(30);
  expect(minutesOf(hour, Date.parse('2025-06-17T15:00:00Z'))).toBe(60);
});

test('a map that stands in for one that loads counts by all of its minutes', () => {
  expect(minutesOf(hour, 0)).toBe(60);
});
