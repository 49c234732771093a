import { describe, expect, it } from 'vitest';
import { duration, exactMs, lasted } from './duration.ts';
import { count, dollars, percent, rate, ratio } from './number.ts';
import { absolute, ago, localInput, short } from './time.ts';

describe('a duration', () => {
  it.each([
    [0, '0 ms'],
    [640, '640 ns'],
    [1_200, '1.2 µs'],
    [348_000_000, '348 ms'],
    [1_240_000, '1.24 ms'],
    [999_600_000, '1 s'],
    [8_003_000_000, '8 s'],
    [11_354_000_000, '11.4 s'],
    [59_600_000_000, '1 min'],
    [200e9, '3 min 20 s'],
    [7_500e9, '2 h 5 min'],
    [90_000e9, '1 d 1 h'],
    [-348_000_000, '-348 ms'],
  ])('of %d ns is written %s', (ns, text) => {
    expect(duration(ns)).toBe(text);
  });

  it('is written in Korean units from a minute on', () => {
    expect(duration(200e9, 'ko')).toBe('3분 20초');
    expect(duration(90_000e9, 'ko')).toBe('1일 1시간');
    expect(duration(348e6, 'ko')).toBe('348 ms');
  });

  it('of a state leaves the seconds out once there are minutes', () => {
    expect(lasted(42_900, 'en')).toBe('42 s');
    expect(lasted(42_900, 'ko')).toBe('42초');
    expect(lasted(7 * 60_000 + 59_000, 'en')).toBe('7 min');
    expect(lasted(-5, 'en')).toBe('0 s');
  });

  it('of a profile step is in milliseconds, however long', () => {
    expect(exactMs(11_354_000_000)).toBe('11,354 ms');
    expect(exactMs(1_240_000)).toBe('1.2 ms');
    expect(exactMs(0)).toBe('0 ms');
  });
});

describe('a number', () => {
  it.each([
    [7, '7'],
    [1234, '1,234'],
    [12_400, '12.4 k'],
    [999_499, '999 k'],
    [999_500, '1 M'],
    [3_100_000, '3.1 M'],
    [2_000_000_000, '2 G'],
  ])('%d is written %s', (n, text) => {
    expect(count(n)).toBe(text);
  });

  it('as a share never claims all or nothing when it is not', () => {
    expect(percent(0.705)).toBe('71 %');
    expect(percent(0.0004)).toBe('<0.1 %');
    expect(percent(0.9996)).toBe('>99.9 %');
    expect(percent(1)).toBe('100 %');
    expect(percent(0)).toBe('0 %');
  });

  it.each([
    [0, '0/s'],
    [0.0001, '0.4/h'],
    [0.07, '4.2/min'],
    [1.24, '1.2/s'],
    [12_400, '12.4 k/s'],
    [480.4, '480/s'],
  ])('of %d per second is written %s', (n, text) => expect(rate(n)).toBe(text));

  it('per second on an axis has the unit of its largest', () => {
    expect([0, 0.5, 1].map((n) => rate(n, 1))).toEqual(['0/s', '0.5/s', '1/s']);
  });

  it('as a ratio has the digits that matter', () => {
    expect(ratio(27.49)).toBe('27.5×');
    expect(ratio(140.4)).toBe('140×');
  });
});

describe('a cost', () => {
  it.each([
    [0, '$0.00'],
    [0.00004, '<$0.0001'],
    [0.00312, '$0.0031'],
    [1.2351, '$1.24'],
  ])('of %d dollars is %s', (usd, text) => expect(dollars(usd)).toBe(text));

  it('is not told when the price is not known', () => {
    expect(dollars(null)).toBeUndefined();
  });
});

describe('a moment', () => {
  const now = new Date(2026, 10, 23, 14, 10, 0).getTime();

  it('is told relatively, in the language of the reader', () => {
    expect(ago(now - 3 * 60_000, now, 'ko')).toBe('3분 전');
    expect(ago(now - 3 * 60_000, now, 'en')).toMatch(/^3 min/);
    expect(ago(now - 20_000, now, 'ko')).toBe('지금');
    expect(ago(now - 26 * 3_600_000, now, 'ko')).toBe('어제');
  });

  it('is as short as the day allows', () => {
    expect(short(new Date(2026, 10, 23, 9, 5, 1), now)).toBe('09:05:01');
    expect(short(new Date(2026, 10, 21, 9, 5, 1), now)).toBe('11-21 09:05');
    expect(short(new Date(2025, 10, 21), now)).toBe('2025-11-21');
  });

  it('names its zone when it is absolute', () => {
    expect(absolute(new Date(2026, 10, 23, 14, 3, 7))).toMatch(/^2026-11-23 14:03:07 UTC/);
  });

  it('fits a datetime field', () => {
    expect(localInput(new Date(2026, 10, 3, 4, 5, 6))).toBe('2026-11-03T04:05');
  });
});
