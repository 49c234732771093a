/** Why a circuit is open, taken apart so that it can be told in the reader's language. */
export type Why =
  | { why: 'failed'; failures: number; calls: number; last: string }
  | { why: 'tried'; last: string }
  | { why: 'by'; name: string; reason: string }
  | { why: 'said'; text: string };

/** Reads the reason the server gives; one it does not know is told as it is. */
export function readReason(text: string): Why {
  const failed = /^(\d+) of (\d+) calls failed within a minute, the last: (\w+)$/.exec(text);
  if (failed) return { why: 'failed', failures: Number(failed[1]), calls: Number(failed[2]), last: failed[3] ?? '' };
  const tried = /^it was tried again and failed: (\w+)$/.exec(text);
  if (tried) return { why: 'tried', last: tried[1] ?? '' };
  const by = /^opened by ([^:]*)(?:: (.*))?$/s.exec(text);
  if (by) return { why: 'by', name: by[1] ?? '', reason: by[2] ?? '' };
  return { why: 'said', text };
}
