import { describe, expect, it } from 'vitest';
import { optional, positive, text } from '../search.ts';
import { resolveRange, validateRange } from './range.ts';

describe('the time range of the address', () => {
  it('is one of the relative ones or two moments in order', () => {
    expect(validateRange({ range: '6h' })).toEqual({ range: '6h' });
    expect(validateRange({ from: '2026-11-23T00:00:00Z', to: '2026-11-23T01:00:00Z' })).toEqual({
      from: '2026-11-23T00:00:00Z',
      to: '2026-11-23T01:00:00Z',
    });
  });

  it('falls back to the default when it makes no sense', () => {
    for (const search of [
      { range: 'for ever' },
      { range: 'toString' },
      { from: 'x', to: 'y' },
      { from: '2026-11-23T01:00:00Z', to: '2026-11-23T00:00:00Z' },
      {},
    ]) {
      expect(validateRange(search)).toEqual({});
    }
  });

  it('resolves to the same question within half a minute', () => {
    const at = Date.parse('2026-11-23T14:00:01Z');
    expect(resolveRange({}, at)).toEqual({ since: '2026-11-23T13:00:30.000Z', until: '2026-11-23T14:00:30.000Z' });
    expect(resolveRange({}, at + 20_000)).toEqual(resolveRange({}, at));
  });
});

describe('a search parameter', () => {
  it('stays the text it is, even when it looks like a number', () => {
    expect(text('00000000000012e4')).toBe('00000000000012e4');
    expect(text('')).toBeUndefined();
  });

  it('is left out when it does not fit', () => {
    expect(optional((s) => ({ min: positive(s.min) }))({ min: '-3' })).toEqual({ min: undefined });
    expect(positive('250')).toBe(250);
  });
});
