import type { ResultVariant, Variant } from '../../api/types.ts';

/** A variant as one reads it: only what the experiment chose, the rest is the version's own. */
export function variantName(
  variant: Variant,
  words: { version: string; temperature: string; top_p: string },
): string[] {
  return [
    `${words.version} ${variant.version}`,
    variant.model,
    variant.temperature === undefined ? '' : `${words.temperature} ${variant.temperature}`,
    variant.top_p === undefined ? '' : `${words.top_p} ${variant.top_p}`,
  ].filter(Boolean);
}

/** Numbers as they are typed on an axis; what is none is left out. */
export const numbers = (tags: string[]): number[] => tags.map((tag) => Number(tag)).filter((n) => Number.isFinite(n));

/**
 * Which variant did best: the most valid, then the most grounded, then the most liked answers, then the cheapest, then
 * the fastest. None before two of them have answers: there is nothing to compare.
 */
export function best(variants: ResultVariant[]): number | undefined {
  const done = variants.map((v, i) => ({ v, i })).filter(({ v }) => v.finished > v.failed);
  if (done.length < 2) return undefined;
  const rank = ({ v }: { v: ResultVariant }) => [
    -(v.finished - v.failed) / v.finished,
    v.valid.of > 0 ? -v.valid.rate : 0,
    v.grounded.of > 0 ? -v.grounded.rate : 0,
    v.thumbs.down - v.thumbs.up,
    v.cost_per_call ?? 0,
    v.p50_ms,
  ];
  return done.sort((a, b) => {
    const [ra, rb] = [rank(a), rank(b)];
    const at = ra.findIndex((each, i) => each !== rb[i]);
    return at < 0 ? 0 : (ra[at] ?? 0) - (rb[at] ?? 0);
  })[0]?.i;
}
