/** Why a model gave no usable answer, as the API calls it; the words are in the catalogues under failures. */
export const FAILURES = [
  'timeout',
  'rate_limited',
  'overloaded',
  'transport',
  'quota_exceeded',
  'empty_answer',
  'invalid_answer',
  'cut_off',
  'context_length',
  'refused',
  'bad_request',
  'unauthenticated',
  'denied',
  'unknown_model',
  'huge_answer',
] as const;

export type FailureClass = (typeof FAILURES)[number];
