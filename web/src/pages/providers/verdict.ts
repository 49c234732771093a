import type { KeyCheck } from '../../api/types.ts';
import { FAILURES, type FailureClass } from '../../parts/failures.ts';

/** Why a service was not reached; the words are in the catalogues. */
const UNREACHED = ['host_unknown', 'refused', 'tls', 'timeout', 'not_public'] as const;

/** What to tell of a failure that only the check of a key can have a remedy for. */
const REMEDIES = [
  'unauthenticated',
  'denied',
  'quota_exceeded',
  'rate_limited',
  'overloaded',
  'timeout',
  'unknown_model',
] as const;

export type Verdict =
  | { found: 'listed'; models: number }
  | { found: 'answered'; model: string }
  | { found: 'unreached'; why: (typeof UNREACHED)[number] | 'unknown' }
  | { found: 'no_list' }
  | { found: 'remedy'; what: (typeof REMEDIES)[number] }
  | { found: 'failure'; what: FailureClass }
  | { found: 'other' };

const among = <T extends string>(all: readonly T[], text: string): T | undefined => all.find((each) => each === text);

/** What the outcome of a check means, taken apart so that it can be told in the reader's language. */
export function verdict(check: KeyCheck): Verdict {
  if (check.ok) {
    return check.model ? { found: 'answered', model: check.model } : { found: 'listed', models: check.models.length };
  }
  if (check.class === 'transport') return { found: 'unreached', why: among(UNREACHED, check.code) ?? 'unknown' };
  // That a model is unknown when none was named means that the list itself is not there.
  if (check.class === 'unknown_model' && !check.model) return { found: 'no_list' };
  const remedy = among(REMEDIES, check.class);
  if (remedy) return { found: 'remedy', what: remedy };
  const failure = among(FAILURES, check.class);
  return failure ? { found: 'failure', what: failure } : { found: 'other' };
}
