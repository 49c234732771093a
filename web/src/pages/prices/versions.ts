import type { Price } from '../../api/types.ts';

/** What became of one that was said of a model's price. */
export type Standing = 'holds' | 'upcoming' | 'past' | 'replaced' | 'withdrawn';

/** The standing of each version, in their order: the latest to hold first, of one moment the newest first. */
export function standings(versions: Price[], now: number): Standing[] {
  let before: Price | undefined;
  let held = false;
  return versions.map((version) => {
    if (version.withdrawn_at) return 'withdrawn';
    if (before && sinceOf(before) === sinceOf(version)) return 'replaced';
    before = version;
    if (sinceOf(version) > now) return 'upcoming';
    if (held) return 'past';
    held = true;
    return 'holds';
  });
}

/** When a price begins, in ms; one without a moment always did. */
export const sinceOf = ({ from }: Pick<Price, 'from'>) => (from ? Date.parse(from) : Number.NEGATIVE_INFINITY);

/** What holds at the begin of a version once it is withdrawn; undefined where no price is known then. */
export function afterWithdrawal(versions: Price[], withdrawn: Price): Price | undefined {
  const next = versions.find(
    (each) => each.version !== withdrawn.version && !each.withdrawn_at && sinceOf(each) <= sinceOf(withdrawn),
  );
  return next?.ended ? undefined : next;
}
