import type { Price, PriceEdit } from '../../api/types.ts';
import { localInput } from '../../format/time.ts';

/** The kinds of tokens that have a price: the first two must, the others may. */
export const KINDS = ['input', 'output', 'cached', 'cache_write', 'reasoning'] as const;
export type Kind = (typeof KINDS)[number];

/** A price as it is written in the form; an amount that is not known is empty. */
export interface Draft extends Record<Kind, number | string> {
  /** From when it holds: from the moment it is saved, or from another. */
  when: 'now' | 'at';
  /** That moment, as an <input type="datetime-local"> has it. */
  at: string;
}

export function draftOf(price: Partial<Price> | undefined, now: number): Draft {
  // One that was set a moment ago has begun, even if the server's clock is ahead.
  const upcoming = price?.from && Date.parse(price.from) > now + 60_000;
  return {
    input: price?.input ?? '',
    output: price?.output ?? '',
    cached: price?.cached ?? '',
    cache_write: price?.cache_write ?? '',
    reasoning: price?.reasoning ?? '',
    when: upcoming ? 'at' : 'now',
    at: localInput(upcoming && price.from ? price.from : tomorrow(now)),
  };
}

/** The begin of the reader's next day: prices mostly change then. */
function tomorrow(now: number): Date {
  const day = new Date(now);
  day.setHours(24, 0, 0, 0);
  return day;
}

export function editOf(draft: Draft): PriceEdit {
  const own = (kind: Kind) => (draft[kind] === '' ? undefined : Number(draft[kind]));
  return {
    input: Number(draft.input),
    output: Number(draft.output),
    cached: own('cached'),
    cache_write: own('cache_write'),
    reasoning: own('reasoning'),
    from: draft.when === 'at' ? new Date(draft.at).toISOString() : undefined,
  };
}

/** Whether calls that are made already are meant, too. */
export const isPast = ({ when, at }: Draft, now: number) => when === 'at' && at !== '' && Date.parse(at) < now;

/** US dollars with at least cents, and as many digits more as the price has. */
export const money = (usd: number) =>
  `$${usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 6 })}`;
