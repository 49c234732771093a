import type { Attempt, Call } from '../../api/types.ts';

/** When an attempt ran within its call, in ms from the call's begin. */
export interface Step {
  start: number;
  /** Until the answer began; 0 when that is not known. */
  first: number;
  took: number;
  /** After it, before the next one. */
  wait: number;
}

/** The attempts of a call on one axis, and how long that is; at least 1 ms. */
export function timeline(call: Pick<Call, 'at' | 'latency_ms' | 'attempts'>): { total: number; steps: Step[] } {
  const begin = Date.parse(call.at);
  const steps = call.attempts.map((attempt: Attempt) => ({
    start: Math.max(0, Date.parse(attempt.at) - begin),
    first: Math.min(attempt.first_token_ms, attempt.latency_ms),
    took: attempt.latency_ms,
    wait: attempt.wait_ms,
  }));
  return { total: Math.max(1, call.latency_ms, ...steps.map((s) => s.start + s.took + s.wait)), steps };
}
