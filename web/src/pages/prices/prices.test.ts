import { describe, expect, it } from 'vitest';
import type { Price } from '../../api/types.ts';
import { draftOf, editOf, isPast, money } from './draft.ts';
import { daysOf, firstDays, lastDayUTC } from './recount.ts';
import { afterWithdrawal, standings } from './versions.ts';

const now = Date.parse('2026-11-29T12:00:00Z');
const price = (version: number, from: string | null, rest: Partial<Price> = {}) =>
  ({
    version,
    from,
    input: version,
    output: version,
    cached: null,
    cache_write: null,
    reasoning: null,
    ...rest,
  }) as Price;

describe('the versions of a price', () => {
  const versions = [
    price(7, '2026-12-01T00:00:00Z'),
    price(6, '2026-11-20T00:00:00Z', { withdrawn_at: '2026-11-21T00:00:00Z' }),
    price(5, '2026-11-10T00:00:00Z'),
    price(4, '2026-11-10T00:00:00Z'),
    price(3, '2026-11-01T00:00:00Z', { ended: true }),
    price(1, null),
  ];
  it('say which one holds, which is to come and which never did', () => {
    expect(standings(versions, now)).toEqual(['upcoming', 'withdrawn', 'holds', 'replaced', 'past', 'past']);
  });
  it('hold from their very moment on, and one without a moment always', () => {
    expect(standings([price(1, '2026-11-29T12:00:00Z')], now)).toEqual(['holds']);
    expect(standings([price(1, null)], now)).toEqual(['holds']);
    expect(standings([], now)).toEqual([]);
  });
  it('tell what holds again when one is withdrawn', () => {
    const of = (version: number) =>
      afterWithdrawal(versions, versions.find((each) => each.version === version) as Price)?.version;
    expect(of(7)).toBe(5);
    expect(of(5)).toBe(4);
    expect(of(4)).toBe(5);
    // What is before it says that no price is known.
    expect(afterWithdrawal([price(5, '2026-11-10T00:00:00Z'), price(3, null, { ended: true })], price(5, null))).toBe(
      undefined,
    );
    expect(of(1)).toBe(undefined);
  });
});

describe('a price in the form', () => {
  it('leaves out what has no price of its own, and keeps what is free', () => {
    const draft = draftOf({ input: 1.25, output: 10, cached: 0, cache_write: null, reasoning: null }, now);
    expect(editOf(draft)).toEqual({
      input: 1.25,
      output: 10,
      cached: 0,
      cache_write: undefined,
      reasoning: undefined,
      from: undefined,
    });
  });
  it('begins with the moment of one that is still to come', () => {
    const draft = draftOf(price(7, '2026-12-01T00:00:00Z'), now);
    expect([draft.when, editOf(draft).from]).toEqual(['at', '2026-12-01T00:00:00.000Z']);
    expect(isPast(draft, now)).toBe(false);
    // Set a moment ago by a clock that is ahead, it holds already.
    expect(draftOf(price(8, '2026-11-29T12:00:05Z'), now).when).toBe('now');
    expect(isPast({ ...draft, at: '2026-11-01T00:00' }, now)).toBe(true);
    expect(isPast({ ...draft, at: '2026-11-01T00:00', when: 'now' }, now)).toBe(false);
  });
  it('is written with at least cents', () => {
    expect([money(0), money(0.1), money(1.25), money(0.000005)]).toEqual(['$0.00', '$0.10', '$1.25', '$0.000005']);
  });
});

describe('a recount', () => {
  const recount = { from: '2026-11-20T00:00:00Z', to: '2026-11-30T00:00:00Z', done_until: '2026-11-23T00:00:00Z' };
  it('tells how many of its days are done', () => {
    expect(daysOf(recount)).toEqual({ done: 3, all: 10 });
    expect(lastDayUTC(recount.to)).toBe('2026-11-29');
  });
  it('begins as long ago as calls are kept', () => {
    expect(firstDays(now)).toEqual({ min: '2026-08-30', max: '2026-11-29' });
  });
});
